import { resolve } from 'node:path'
import { readClientServers, withoutDisabled } from '../../config/client-servers.ts'
import { clientBlocks, clientServerSchema } from '../../config/config.ts'
import { flattenIssue, issuesOf } from '../../config/describe-issue.ts'
import { ConfigDocument } from '../../config/document.ts'
import { isRecord, type Path, renderPath } from '../../config/path.ts'
import { Problems } from '../../config/problems.ts'
import { Secrets } from '../../config/secrets.ts'
import { WeirError } from '../../core/error.ts'
import { findPlainSecrets } from './find-plain-secrets.ts'
import { createReferenceTranslator, type ReferenceTranslator } from './reference-translator.ts'

/** A client's file as it was read. */
export interface ClientSource {
  readonly path: string
  /** Where relative paths in it start; absent for a user's own file. */
  readonly folder?: string
  readonly value: unknown
}

/** Who takes the servers over. */
export interface ImportTarget {
  readonly home: string
  /** The folder of the configuration, where Weir starts programs that say nothing else. */
  readonly baseDir: string
  /** Checks the settings of one connection, as the connector does; throws what a schema throws. */
  readonly parse: (config: unknown) => unknown
}

/** A file's servers as connections of type `mcp`, and what its owner should know; neither text holds a secret. */
export interface Imported {
  readonly connections: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

type Server = Record<string, unknown>
const nowhere = { line: 1, column: 1 }

/** Throws CONFIG_INVALID with everything in the file that Weir cannot take over. */
export function importServers(source: ClientSource, target: ImportTarget): Imported {
  const problems = new Problems('', new Secrets())
  const translator = createReferenceTranslator({ home: target.home, folder: source.folder })
  const value = readBlocks(source.value, translator, problems)
  const connections: Record<string, Server> = Object.create(null)
  for (const { name, config, path } of readClientServers(value, new ConfigDocument(), problems)) {
    const settings = startIn(config as Server, source.folder, target.baseDir)
    if (name in connections) {
      problems.add(path, nowhere, `another server is the connection ${name} too`, 'rename one of them')
    }
    checkSettings(settings, path, target.parse, problems)
    connections[name] = { type: 'mcp', ...settings }
  }
  refuse(problems, source.path)
  return {
    connections,
    notes: [...listDisabled(source), ...listInputs(translator)],
    warnings: [
      ...problems.warnings.map((warning) => `${source.path}${warning.replace(/^:1:1/, '')}`),
      ...Object.entries(connections).flatMap(([name, config]) => warnOfSecrets(name, config)),
    ],
  }
}

/** The blocks of servers alone, those that are switched off left out, with Weir's own references. */
function readBlocks(value: unknown, translator: ReferenceTranslator, problems: Problems): unknown {
  const blocks: Record<string, Record<string, unknown>> = {}
  const enabled = withoutDisabled(value)
  for (const block of clientBlocks) {
    const servers = isRecord(enabled) ? enabled[block] : undefined
    if (servers === undefined) continue
    blocks[block] = {}
    if (!isRecord(servers)) problems.add([block], nowhere, 'is no object of servers')
    for (const [label, server] of Object.entries(isRecord(servers) ? servers : {})) {
      const path = [block, label]
      const checked = clientServerSchema.safeParse(server)
      const issues = checked.error?.issues ?? []
      for (const issue of issues) problems.add([...path, ...(issue.path as Path)], nowhere, issue.message)
      blocks[block][label] = translateDeep(server, path, translator, problems)
    }
  }
  return blocks
}

function translateDeep(
  value: unknown,
  path: Path,
  translator: ReferenceTranslator,
  problems: Problems,
): unknown {
  if (typeof value === 'string') {
    return translator.translate(value, (reference) => {
      const shown = reference.slice(0, 40)
      problems.add(path, nowhere, `Weir has nothing for ${shown}`, 'write its value, or ${VAR}')
    })
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => translateDeep(item, [...path, index], translator, problems))
  }
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      translateDeep(inner, [...path, key], translator, problems),
    ]),
  )
}

/** A program starts where its client would have started it. */
function startIn(config: Server, folder: string | undefined, baseDir: string): Server {
  const { cwd, command } = config
  if (command === undefined || folder === undefined || folder === baseDir) return config
  const isReference = typeof cwd === 'string' && cwd.startsWith('${')
  return isReference ? config : { ...config, cwd: resolve(folder, typeof cwd === 'string' ? cwd : '.') }
}

/** What the connector would refuse; headers that Weir sets itself are left out, since clients set them too. */
function checkSettings(
  config: Server,
  path: Path,
  parse: (config: unknown) => unknown,
  problems: Problems,
): void {
  for (const { path: at, kind, issue } of listFaults(config, parse)) {
    const value = at.reduce<unknown>((around, key) => (isRecord(around) ? around[key] : undefined), config)
    const { headers } = config
    if (kind === 'key' && at[0] === 'headers' && isRecord(headers) && /set by Weir/.test(issue.message)) {
      delete headers[String(at[1])]
      problems.warn([...path, ...at], nowhere, 'left out: Weir sets this header itself')
    } else if (typeof value !== 'string' || !value.includes('${')) {
      problems.add([...path, ...at], nowhere, issue.message)
    }
  }
}

function listFaults(config: Server, parse: (config: unknown) => unknown) {
  try {
    parse(config)
    return []
  } catch (thrown) {
    const issues = issuesOf(thrown)
    if (issues === undefined) throw thrown
    return issues.flatMap((issue) => flattenIssue(issue))
  }
}

/** The problems without places: a position in text that was never YAML would be a lie. */
function refuse(problems: Problems, path: string): void {
  try {
    problems.throwIfAny()
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    const lines = error.message.split('\n').map((line) => `${path}${line.replace(/^:1:1/, '')}`)
    throw new WeirError('CONFIG_INVALID', lines.join('\n'), {
      hint: 'Correct the file or disable the server; nothing was written.',
    })
  }
}

function listDisabled({ path, value }: ClientSource): readonly string[] {
  const kept = withoutDisabled(value)
  return clientBlocks.flatMap((block) => {
    const [all, left] = [value, kept].map((file) =>
      isRecord(file) && isRecord(file[block]) ? file[block] : {},
    )
    return Object.keys(all!)
      .filter((label) => !Object.hasOwn(left!, label))
      .map((label) => `${path} ${renderPath([block, label])}: disabled there, and left out.`)
  })
}

function listInputs({ inputs }: ReferenceTranslator): readonly string[] {
  return [...inputs].map(
    ([name, id]) => `The client asked its user for \${input:${id}}. Weir reads the variable ${name}: set it.`,
  )
}

function warnOfSecrets(name: string, config: Server): readonly string[] {
  return findPlainSecrets(name, config).map(
    ({ where, variable }) =>
      `connection ${name}: ${where} looks like a secret and is written out; set a variable and write "\${${variable}}".`,
  )
}
