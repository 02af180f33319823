import { resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { readClientServers, withoutDisabled } from '../../config/client-servers.ts'
import { ConfigDocument } from '../../config/document.ts'
import { isRecord } from '../../config/path.ts'
import { Problems } from '../../config/problems.ts'
import { Secrets } from '../../config/secrets.ts'
import { WeirError } from '../../core/error.ts'
import type { ClientName } from './clients.ts'

/** What a client can take over of a configuration. */
export interface Exported {
  readonly servers: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** VS Code's questions, one for each variable. */
  readonly inputs: readonly unknown[]
  /** By connection: why the client cannot have it. */
  readonly left: ReadonlyMap<string, string>
}

/** Where the text comes from. */
export interface ExportSource {
  readonly text: string
  readonly path: string
  /** The file's folder, absolute. */
  readonly baseDir: string
}

/** Thrown where a server cannot be said in the client's format; the message is the reason. */
class NotExportable extends Error {}

/**
 * The MCP servers of a configuration in a client's format. Works on the text: references stay references, in the
 * client's own way, so that no secret leaves the file's environment. Throws CONFIG_INVALID where it is no YAML.
 */
export function exportServers({ text, path, baseDir }: ExportSource, client: ClientName): Exported {
  const servers: Record<string, Readonly<Record<string, unknown>>> = {}
  const left = new Map<string, string>()
  const inputs = new Map<string, unknown>()
  for (const [name, { type, ...config }] of listConnections(text, path)) {
    try {
      if (type !== 'mcp') throw new NotExportable(`type ${String(type)} is Weir's own`)
      servers[name] = translate(renderServer(config, client, baseDir), client, inputs)
    } catch (error) {
      if (!(error instanceof NotExportable)) throw error
      left.set(name, error.message)
    }
  }
  return { servers, inputs: [...inputs.values()], left }
}

type Settings = Readonly<Record<string, unknown>>

function listConnections(text: string, path: string): readonly (readonly [string, Settings])[] {
  const document = parseDocument(text, { version: '1.2', schema: 'core', logLevel: 'silent' })
  const file: unknown = document.errors.length > 0 ? undefined : (document.toJS() ?? {})
  if (!isRecord(file)) {
    throw new WeirError('CONFIG_INVALID', `${path} is not a configuration in YAML.`, {
      hint: '`weir validate` tells everything that is wrong with it.',
    })
  }
  const scratch = new Problems(path, new Secrets())
  const pasted = readClientServers(withoutDisabled(file), new ConfigDocument(), scratch)
  const own = Object.entries(isRecord(file['connections']) ? file['connections'] : {})
  return [
    ...own.map(([name, config]) => [name, isRecord(config) ? config : {}] as const),
    ...pasted.map(({ name, config }) => [name, { type: 'mcp', ...(config as Settings) }] as const),
  ]
}

/** What clients know of a server; Weir's own settings, such as times, have no place there. */
function renderServer(config: Settings, client: ClientName, baseDir: string): Settings {
  const pick = (...keys: readonly string[]): Settings =>
    Object.fromEntries(keys.filter((key) => key in config).map((key) => [key, config[key]]))
  if (typeof config['command'] === 'string') {
    const program = pick('command', 'args', 'env')
    const { cwd } = config
    if (client === 'vscode') {
      return { type: 'stdio', ...program, ...(typeof cwd === 'string' ? { cwd: resolve(baseDir, cwd) } : {}) }
    }
    if (cwd !== undefined) throw new NotExportable('it has a cwd, which this client does not know')
    return program
  }
  if (typeof config['url'] !== 'string') throw new NotExportable('it has neither a command nor a url')
  if (client === 'claude-desktop')
    throw new NotExportable('it has a url, and this client starts programs only')
  const address = pick('url', 'headers')
  return client === 'cursor' ? address : { type: 'http', ...address }
}

function translate(server: Settings, client: ClientName, inputs: Map<string, unknown>): Settings {
  const deep = (value: unknown): unknown => {
    if (typeof value === 'string') return translateText(value, client, inputs)
    if (Array.isArray(value)) return value.map(deep)
    return isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, deep(inner)]))
      : value
  }
  return deep(server) as Settings
}

function translateText(text: string, client: ClientName, inputs: Map<string, unknown>): string {
  return text.replace(/\$\$(\{?)|\$\{([^}]*)\}/g, (_, brace: string, reference: string | undefined) => {
    if (brace === '{') throw new NotExportable('it holds the text ${, which this client would replace')
    return reference === undefined ? '$' : translateReference(reference, client, inputs)
  })
}

function translateReference(reference: string, client: ClientName, inputs: Map<string, unknown>): string {
  const [, name, fallback] = /^(?:env:)?([A-Za-z_]\w*)(:-[^$]*)?$/.exec(reference) ?? []
  if (name === undefined) throw new NotExportable(`this client has nothing for \${${reference}}`)
  if (client === 'claude-desktop') {
    throw new NotExportable(`it needs \${${name}}, and this client fills in no variables`)
  }
  if (client === 'claude') return `\${${name}${fallback ?? ''}}`
  if (fallback !== undefined)
    throw new NotExportable(`\${${name}} has a default, which this client does not know`)
  if (client === 'cursor') return `\${env:${name}}`
  const id = /^[A-Z0-9_]+$/.test(name) ? name.toLowerCase().replaceAll('_', '-') : name
  inputs.set(id, { id, type: 'promptString', description: name, password: true })
  return `\${input:${id}}`
}
