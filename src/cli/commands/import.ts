import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { createBase } from '../../app.ts'
import { isRecord, valueAt } from '../../config/path.ts'
import { readText, UnreadableError } from '../../config/read-text.ts'
import { WeirError } from '../../core/error.ts'
import { type ClientFile, clientNames, listClientFiles, type Machine } from '../clients/clients.ts'
import { type ClientSource, type Imported, importServers } from '../clients/import-servers.ts'
import { parseJsonc } from '../clients/parse-jsonc.ts'
import { readClient, readMachine } from '../clients/read-client.ts'
import { readConfigText } from '../clients/read-config-text.ts'
import { addConnections, renderConnections, replaceFile } from '../clients/write-connections.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { defaultConfigPath } from '../setup.ts'

interface ImportOptions {
  readonly from?: string
  readonly write?: boolean
}

/** Claude Code keeps more than servers in its own file. */
const clientFileBytesMax = 16 * 1024 * 1024

/** `weir import [file]`: the servers of a client as connections, printed or added to the configuration. */
export async function importClient(
  { output, configPath: path = defaultConfigPath }: CommandContext,
  { from, write = false }: ImportOptions,
  [file]: readonly string[],
): Promise<number> {
  const machine = readMachine()
  const { connectors, egress } = createBase({ hostEnv: {} })
  await egress.close()
  const target = {
    home: machine.home,
    baseDir: dirname(resolve(path)),
    parse: (config: unknown) => connectors.find(({ type }) => type === 'mcp')?.config.parse(config),
  }
  const files = file === undefined ? findFiles(from, machine) : [describeFile(file, from)]
  const sources = files.flatMap((found) => readSource(found, machine))
  const imported = merge(sources.map((source) => importServers(source, target)))
  if (Object.keys(imported.connections).length === 0) {
    throw new WeirError('INVALID_PARAMS', `There are no servers in ${files.map((f) => f.path).join(', ')}.`, {
      hint: 'Name the file that holds them: `weir import path/to/mcp.json`.',
    })
  }
  if (write) writeInto(path, imported)
  tell(imported, output)
  show(imported, write ? path : undefined, output)
  return exits.ok
}

/** The files that are there; without a client's name, those of the only client that has some. */
function findFiles(from: string | undefined, machine: Machine): readonly ClientFile[] {
  const clients = from === undefined ? clientNames : [readClient(from)]
  const found = clients
    .map((client) => ({ client, files: listClientFiles(client, machine).filter((f) => existsSync(f.path)) }))
    .filter(({ files }) => files.length > 0)
  const [first, ...others] = found
  if (first === undefined) {
    const places = clients.flatMap((client) => listClientFiles(client, machine)).map(({ path }) => path)
    throw new WeirError('INVALID_PARAMS', `No client's configuration was found at ${places.join(', ')}.`, {
      hint: 'Name the file: `weir import path/to/mcp.json`.',
    })
  }
  if (others.length === 0) return first.files
  const names = found.map(({ client }) => client)
  throw new WeirError('INVALID_PARAMS', `Several clients have a configuration: ${names.join(', ')}.`, {
    hint: `Choose one, as in --from ${first.client}.`,
  })
}

const userFiles: ReadonlySet<string> = new Set(['.claude.json', 'claude_desktop_config.json'])

/** A file that was named: where it lies says which folder its relative paths mean. */
function describeFile(path: string, from: string | undefined): ClientFile {
  const client = from === undefined ? undefined : readClient(from)
  const folder = dirname(resolve(path))
  if (client === 'claude-desktop' || userFiles.has(basename(path))) return { path }
  return { path, folder: /^\.(?:cursor|vscode)$/.test(basename(folder)) ? dirname(folder) : folder }
}

/** Claude Code's own file holds servers of the user's, and before them those of each project. */
function readSource(file: ClientFile, { cwd }: Machine): readonly ClientSource[] {
  const value = parseJsonc(readClientText(file.path), file.path)
  const own = { ...file, value }
  const local = basename(file.path) === '.claude.json' ? valueAt(value, ['projects', cwd]) : undefined
  return isRecord(local) ? [{ ...own, value: local, folder: cwd }, own] : [own]
}

function readClientText(path: string): string {
  try {
    return readText(resolve(path), clientFileBytesMax)
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    throw new WeirError('INVALID_PARAMS', `${path}: ${error.message}.`, {
      hint: 'Name a client’s configuration file, or the client with --from.',
    })
  }
}

/** As the client does: what stands nearer to the project wins. */
function merge(all: readonly Imported[]): Imported {
  const connections: Record<string, Imported['connections'][string]> = {}
  const notes: string[] = []
  for (const imported of all) {
    notes.push(...imported.notes)
    for (const [name, config] of Object.entries(imported.connections)) {
      if (Object.hasOwn(connections, name)) notes.push(`${name} is there twice; the project's own was taken.`)
      else connections[name] = config
    }
  }
  return { connections, notes, warnings: [...new Set(all.flatMap(({ warnings }) => warnings))] }
}

function writeInto(path: string, { connections }: Imported): void {
  const before = existsSync(path) ? readConfigText(path) : ''
  replaceFile(path, addConnections(before, connections, path))
}

function tell({ connections, notes, warnings }: Imported, output: Output): void {
  for (const note of notes) output.tell('note', note)
  for (const warning of warnings) output.tell('warning', warning)
  const text = JSON.stringify(connections).replaceAll('$$', '')
  const names = [...new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!))]
  const unset = names.filter((name) => process.env[name] === undefined)
  if (unset.length > 0) output.tell('note', `Set before Weir starts: ${unset.join(', ')}.`)
}

function show({ connections }: Imported, written: string | undefined, output: Output): void {
  const names = Object.keys(connections)
  if (written === undefined) {
    if (output.isJson) output.json({ connections })
    else output.text(renderConnections(connections).trimEnd())
    return
  }
  if (output.isJson) output.json({ written, connections: names })
  const named = written === defaultConfigPath ? '' : ` --config ${written}`
  output.note(`Added ${names.join(', ')} to ${written}. Check it with \`weir validate${named}\`.`)
}
