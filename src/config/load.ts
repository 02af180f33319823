import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import type { AnyConnector } from '../core/connector.ts'
import { WeirError } from '../core/error.ts'
import { findNearestKey } from '../core/nearest-key.ts'
import { type JsonSchema, toJsonSchema } from '../core/schema.ts'
import { type CheckedConnection, checkConnections } from './check-connections.ts'
import { checkRoles } from './check-roles.ts'
import { checkToolsets } from './check-toolsets.ts'
import { checkValue } from './check-value.ts'
import { withoutDisabled } from './client-servers.ts'
import { collectSecrets } from './collect-secrets.ts'
import {
  type Config,
  type ConnectionConfig,
  fileSchema,
  type LoadedConfig,
  sharedConnectionFields,
} from './config.ts'
import { suggest } from './describe-issue.ts'
import type { ConfigDocument } from './document.ts'
import type { ReadText } from './interpolate.ts'
import type { Path } from './path.ts'
import { Problems } from './problems.ts'
import { configBytesMax, readDocument } from './read-document.ts'
import { readText, UnreadableError } from './read-text.ts'
import { isPlainAt } from './schema-walk.ts'
import { Secrets } from './secrets.ts'

/** What a configuration is read with. */
export interface LoadOptions {
  /** The file; messages name it as it is written here. */
  readonly path: string
  /** Where `${VAR}` finds its values. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The connectors there are; each checks its own connections. */
  readonly connectors: readonly AnyConnector[]
}

/**
 * Reads, interpolates and checks a configuration file: at most 1 MiB of YAML 1.2 or JSON. Throws
 * CONFIG_NOT_FOUND, or CONFIG_INVALID with everything that is wrong, at most 50 problems, in
 * `data.problems`. Neither holds a secret.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  return parseConfig({ ...options, text: readConfigText(options.path), readFile: readText })
}

function readConfigText(path: string): string {
  try {
    return readText(resolve(path), configBytesMax)
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    if (error.isContent) {
      const problem = { path: '', line: 1, column: 1, message: error.message }
      throw new WeirError('CONFIG_INVALID', `${path}:1:1 ${error.message}`, {
        hint: 'Weir reads one YAML or JSON file of UTF-8 text.',
        data: { problems: [problem] },
      })
    }
    throw new WeirError('CONFIG_NOT_FOUND', `The configuration file ${resolve(path)}: ${error.message}.`, {
      hint: 'Make one with `weir init`, or give the path of another.',
    })
  }
}

/** What `loadConfig` does once the text is there; `readFile`, for `${file:…}`, gets absolute paths. */
export function parseConfig(options: LoadOptions & { text: string; readFile: ReadText }): LoadedConfig {
  const secrets = new Secrets()
  const problems = new Problems(options.path, secrets)
  const path = resolve(options.path)
  const baseDir = dirname(path)
  const readFile: ReadText = (file, bytesMax) => options.readFile(resolve(baseDir, file), bytesMax)
  const document = readDocument(options.text, { env: options.env, readFile }, problems)
  if (document.value === undefined) problems.throwIfAny()
  // Until all is checked, everything from outside is a secret: it may stand in the wrong place.
  collectSecrets(document, secrets, () => false)
  if (secrets.isFull)
    problems.add([], { line: 1, column: 1 }, 'the file holds more secrets than Weir can keep')

  const value = withoutDisabled(document.value ?? {})
  const file = checkFile(value, document, problems)
  const connections = checkConnections(value, options.connectors, document, problems)
  if (file !== undefined) checkToolsets(file, connections, document, problems)
  if (file !== undefined) checkRoles(file, connections, document, problems)
  if (file !== undefined) warnOfIdleLines(file, connections, document, problems)
  problems.throwIfAny()
  if (file === undefined) throw new WeirError('INTERNAL', 'The configuration was refused without a reason.')

  const kept = new Secrets()
  collectSecrets(document, kept, (at) => isPlainSetting(at, connections))
  return { config: assemble(file, connections), secrets: kept, warnings: problems.warnings, baseDir, path }
}

type File = z.output<typeof fileSchema>
let fileJsonSchema: JsonSchema | undefined

function checkFile(value: unknown, document: ConfigDocument, problems: Problems): File | undefined {
  fileJsonSchema ??= toJsonSchema(fileSchema)
  const parse = (input: unknown) => fileSchema.parse(input)
  return checkValue({ parse, schema: fileJsonSchema, value, base: [] }, document, problems)
}

function assemble(file: File, checked: ReadonlyMap<string, CheckedConnection>): Config {
  const connections: Record<string, ConnectionConfig> = Object.create(null)
  for (const [name, { type, config }] of checked) {
    const { pinning, trustFirst, start, idleTimeout: idleMs } = file.connections[name] ?? {}
    const lazy = start === 'lazy' ? { isLazy: true, ...(idleMs === undefined ? {} : { idleMs }) } : {}
    connections[name] = {
      ...{ type, config, ...lazy },
      ...(pinning === undefined ? {} : { pinning }),
      ...(trustFirst === undefined ? {} : { trustFirst }),
    }
  }
  const policies: Config['policies'] = Object.assign(Object.create(null), file.policies)
  const toolsets: Config['toolsets'] = Object.assign(Object.create(null), file.toolsets)
  const roles: Config['roles'] = Object.assign(Object.create(null), file.roles)
  const { server, log, telemetry, store, audit, approvals, auth, redis } = file
  const named = { connections, policies, toolsets, roles }
  const optional = { ...(auth && { auth }), ...(redis && { redis }) }
  return { ...named, ...optional, server, log, telemetry, store, audit, approvals }
}

/** Whether a setting is one that everybody may see, whatever it was made of. */
function isPlainSetting(path: Path, connections: ReadonlyMap<string, CheckedConnection>): boolean {
  const [block, key] = path
  if (block === 'server') return key !== 'sessionKey'
  if (block === 'telemetry') return path[2] === 'sample'
  if (block === 'auth') return path[3] !== 'secret'
  if (['log', 'policies', 'roles', 'audit', 'approvals'].includes(String(block))) return true
  // A fixed value may well be a key.
  if (block === 'toolsets') return path[4] !== 'arguments'
  if (block !== 'connections') return false
  const connection = connections.get(String(key))
  return (
    path[2] === 'type' ||
    String(path[2]) in sharedConnectionFields ||
    (connection !== undefined && isPlainAt(connection.schema, path.slice(2)))
  )
}

/** Lines that change nothing are most often misspelt. */
function warnOfIdleLines(
  file: File,
  connections: ReadonlyMap<string, CheckedConnection>,
  document: ConfigDocument,
  problems: Problems,
): void {
  if (connections.size === 0 && problems.isEmpty) {
    problems.warn([], { line: 1, column: 1 }, 'no connections: there will be no tools')
  }
  if (file.inputs !== undefined) problems.warn(['inputs'], document.locate(['inputs'], 'key'), 'ignored')
  for (const pattern of Object.keys(file.policies)) {
    const name = pattern.split(':')[0]!
    if (name.includes('*') || connections.has(name)) continue
    const nearest = suggest(findNearestKey(name, connections.keys()))
    const message = `no connection is named ${JSON.stringify(name)}${nearest === undefined ? '' : `; ${nearest}`}`
    problems.warn(['policies', pattern], document.locate(['policies', pattern], 'key'), message)
  }
}
