import { isDeepStrictEqual } from 'node:util'
import { describe, it } from 'vitest'
import type { AnyConnector, Connection, OpenContext } from '../core/connector.ts'
import { renderError, WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { type JsonSchema, type Schema, toJsonSchema } from '../core/schema.ts'
import { isTool, type RunContext, type Tool } from '../core/tool.ts'

/** What the suite needs to know of a connector. */
export interface ConnectorCase {
  /** A config that opens and whose system answers. Made anew for each test, after `before` hooks have run. */
  config(): unknown
  /** Configs that must be refused, each with the dotted path of the field that the refusal has to name. */
  readonly badConfigs: readonly { readonly config: unknown; readonly field: string }[]
  /** A config whose system does not answer; what is wrong with it must show by the first `check`. */
  deadConfig?(): unknown
  /** A canary that stands as the secret in `config`, `deadConfig` and the bad configs; no error may hold it. */
  readonly secret?: string
  /** A call that runs for seconds unless it is stopped. */
  readonly slowCall?: { readonly tool: string; readonly input: unknown }
  /** Where relative paths of the config begin. */
  baseDir?(): string
  /** False for a connector whose tools are an upstream's own, with names and schemas we do not write. */
  readonly ownTools?: boolean
}

/** One promise of every connector: rejects with what was found broken. */
export interface ConnectorPromise {
  readonly title: string
  keep(): Promise<void>
}

const abortTimeoutMs = 2000

/** Declares the suite that every connector must pass: `describeConnector(sql, { config: () => …, badConfigs: … })`. */
export function describeConnector(connector: AnyConnector, connectorCase: ConnectorCase): void {
  describe(`connector ${connector.type}`, () => {
    for (const { title, keep } of listConnectorPromises(connector, connectorCase)) it(title, keep)
  })
}

/** The promises as data, so that a test can show that each of them notices its own breach. */
export function listConnectorPromises(
  connector: AnyConnector,
  given: ConnectorCase,
): readonly ConnectorPromise[] {
  const promises: ConnectorPromise[] = [
    { title: 'has a kebab-case type and a summary', keep: async () => checkNames(connector) },
    {
      title: 'describes every field of its config',
      keep: async () => requireDescriptions(toJsonSchema(connector.config), 'config'),
    },
    { title: 'opens, answers a check, and closes twice', keep: () => openAndClose(connector, given) },
    {
      title: 'has tools with good names, descriptions and effects',
      keep: () => checkTools(connector, given),
    },
    { title: 'honours a check that is aborted', keep: () => abortCheck(connector, given) },
    { title: 'does not open once Weir stops', keep: () => abortOpen(connector, given) },
    ...given.badConfigs.map((bad) => ({
      title: `refuses a config and names ${bad.field}`,
      keep: async () => refuseConfig(connector, given, bad),
    })),
  ]
  if (given.slowCall !== undefined) {
    promises.push({ title: 'honours a call that is aborted', keep: () => abortCall(connector, given) })
  }
  if (given.deadConfig !== undefined) {
    promises.push({
      title: 'rejects with a WeirError while its system is down',
      keep: () => failWhileDown(connector, given),
    })
  }
  return promises
}

function checkNames(connector: AnyConnector): void {
  demand(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(connector.type), `type ${connector.type} is not kebab-case`)
  demand(connector.summary.trim() !== '', 'the summary is empty')
}

async function openAndClose(connector: AnyConnector, given: ConnectorCase): Promise<void> {
  const before = countResources()
  const connection = await open(connector, given, given.config())
  try {
    const targets = connection.targets()
    demand(connection.targets() === targets, 'targets() gives a new array though nothing changed')
    await connection.check(new AbortController().signal)
  } finally {
    await connection.close()
    await connection.close()
  }
  // A handle that has closed is unregistered one turn of the loop later.
  for (let turn = 0; turn < 10 && countResources() > before; turn++) await nextTurn()
  demand(countResources() <= before, 'a process, socket or worker is left after close()')
}

async function checkTools(connector: AnyConnector, given: ConnectorCase): Promise<void> {
  await withConnection(connector, given, async (connection) => {
    const names = new Set<string>()
    for (const target of connection.targets()) {
      const name = `${target.kind} ${target.name}`
      demand(!names.has(name), `two targets are the ${name}`)
      names.add(name)
      if (given.ownTools !== false && isTool(target)) checkOwnTool(target)
    }
    const again = connection.targets().map(({ kind, name }) => `${kind} ${name}`)
    demand(isDeepStrictEqual([...names], again), 'targets() is not in a stable order')
  })
}

function checkOwnTool(tool: Tool): void {
  demand(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(tool.name), `tool ${tool.name} is not snake_case`)
  demand(tool.description.trim() !== '', `tool ${tool.name} has no description`)
  const input = toJsonSchema(tool.input)
  demand(input['type'] === 'object', `the input of ${tool.name} is not an object`)
  demand(input['additionalProperties'] === false, `the input of ${tool.name} takes fields it does not know`)
  requireDescriptions(input, `${tool.name} input`)
  if (tool.output !== undefined)
    requireDescriptions(toJsonSchema(tool.output as Schema), `${tool.name} output`)
}

async function abortCheck(connector: AnyConnector, given: ConnectorCase): Promise<void> {
  await withConnection(connector, given, async (connection) => {
    const reason = new WeirError('CANCELLED', 'The check was stopped.')
    const checked = connection.check(AbortSignal.abort(reason))
    const thrown = await rejectionOf(within(checked, 'check() under an aborted signal'))
    demand(thrown !== undefined, 'check() resolved though its signal was aborted')
  })
}

async function abortOpen(connector: AnyConnector, given: ConnectorCase): Promise<void> {
  const context = createContext(given, AbortSignal.abort(new WeirError('SHUTTING_DOWN', 'Weir is stopping.')))
  const opened = connector.open(connector.config.parse(given.config()), context)
  const thrown = await rejectionOf(within(opened, 'open() under an aborted signal'))
  if (thrown === undefined) await (await opened).close()
  demand(thrown !== undefined, 'open() resolved though its signal was aborted')
}

async function abortCall(connector: AnyConnector, given: ConnectorCase): Promise<void> {
  await withConnection(connector, given, async (connection) => {
    const { tool: name, input } = given.slowCall!
    const tool = connection
      .targets()
      .filter(isTool)
      .find((target) => target.name === name)
    if (tool === undefined) throw new Error(`there is no tool ${name}`)
    const controller = new AbortController()
    const reason = new WeirError('CANCELLED', 'The caller left.')
    const ran = tool.run(input, createRunContext(controller.signal))
    setImmediate(() => controller.abort(reason))
    const thrown = await rejectionOf(within(ran, `${name} after its abort`))
    demand(thrown === reason, `${name} did not reject with the reason it was aborted for, but with ${thrown}`)
  })
}

function refuseConfig(
  connector: AnyConnector,
  given: ConnectorCase,
  { config, field }: ConnectorCase['badConfigs'][number],
): void {
  let refusal: unknown
  try {
    connector.config.parse(config)
  } catch (thrown) {
    refusal = thrown
  }
  demand(refusal !== undefined, 'the config was accepted')
  const named = fieldsOf(refusal)
  demand(named.includes(field), `the refusal names ${named.join(', ') || 'no field'}, not ${field}`)
  requireNoSecret(refusal, given)
}

async function failWhileDown(connector: AnyConnector, given: ConnectorCase): Promise<void> {
  const attempt = withConnection(connector, given, check, given.deadConfig!())
  const thrown = await rejectionOf(attempt)
  demand(thrown instanceof WeirError, `it gave ${thrown ?? 'no error'}, which is no WeirError`)
  requireNoSecret(thrown, given)
}

function check(connection: Connection): Promise<void> {
  return connection.check(new AbortController().signal)
}

async function withConnection(
  connector: AnyConnector,
  given: ConnectorCase,
  use: (connection: Connection) => Promise<void>,
  config: unknown = given.config(),
): Promise<void> {
  const connection = await open(connector, given, config)
  try {
    await use(connection)
  } finally {
    await connection.close()
  }
}

function open(connector: AnyConnector, given: ConnectorCase, config: unknown): Promise<Connection> {
  return connector.open(connector.config.parse(config), createContext(given, new AbortController().signal))
}

function createContext(given: ConnectorCase, signal: AbortSignal): OpenContext {
  return { name: 'tested', baseDir: given.baseDir?.() ?? process.cwd(), log: silentLogger, signal }
}

function createRunContext(signal: AbortSignal): RunContext {
  return {
    signal,
    stop: signal,
    deadlineMs: Number.POSITIVE_INFINITY,
    caller: { subject: 'test:ada', tenant: 'test' },
    wantsProgress: false,
    emit() {},
  }
}

/** Rejects where `value` takes longer than an abort may. */
function within<T>(value: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Breach(`${what} did not end within ${abortTimeoutMs} ms`))
    const timer = setTimeout(late, abortTimeoutMs)
    value.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** What a promise rejects with; undefined where it resolves. A breach found on the way is passed on. */
async function rejectionOf(value: Promise<unknown>): Promise<unknown> {
  try {
    await value
    return undefined
  } catch (thrown) {
    if (thrown instanceof Breach) throw thrown
    return thrown
  }
}

/** Every property below a schema must say what it is: descriptions are the documentation. */
function requireDescriptions(schema: JsonSchema, path: string): void {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>
  for (const [name, field] of Object.entries(properties)) {
    demand(typeof field['description'] === 'string', `${path}.${name} has no description`)
    requireDescriptions(field, `${path}.${name}`)
  }
  for (const keyword of ['items', 'additionalProperties']) {
    const inner = schema[keyword]
    if (typeof inner === 'object' && inner !== null) requireDescriptions(inner as JsonSchema, `${path}[]`)
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    for (const inner of (schema[keyword] ?? []) as JsonSchema[]) requireDescriptions(inner, path)
  }
  for (const [name, inner] of Object.entries((schema['$defs'] ?? {}) as Record<string, JsonSchema>)) {
    requireDescriptions(inner, `${path}#${name}`)
  }
}

/** The dotted paths that a schema's refusal names; an unknown key counts as one. */
function fieldsOf(refusal: unknown): string[] {
  const issues = (refusal as { issues?: unknown }).issues
  if (!Array.isArray(issues)) return []
  return issues.flatMap((issue: { path?: PropertyKey[]; keys?: string[] }) => {
    const path = (issue.path ?? []).map(String)
    return issue.keys === undefined ? [path.join('.')] : issue.keys.map((key) => [...path, key].join('.'))
  })
}

/** Looks at what callers and config errors show; a cause goes to the log, which redacts. */
function requireNoSecret(thrown: unknown, { secret }: ConnectorCase): void {
  if (secret === undefined) return
  const shown = thrown instanceof WeirError ? JSON.stringify(renderError(thrown)) : String(thrown)
  demand(!shown.includes(secret), 'the error shows the secret')
}

const handles = new Set(['ProcessWrap', 'PipeWrap', 'TCPSocketWrap', 'TCPServerWrap', 'TLSWrap', 'Worker'])

function countResources(): number {
  return process.getActiveResourcesInfo().filter((resource) => handles.has(resource)).length
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

class Breach extends Error {}

function demand(kept: boolean, breach: string): asserts kept {
  if (!kept) throw new Breach(breach)
}
