import { tmpdir } from 'node:os'
import { createBase } from '../../src/app.ts'
import type { Person } from '../../src/core/authorisation.ts'
import { Cancellation } from '../../src/core/cancellation.ts'
import type { Connection } from '../../src/core/connector.ts'
import { toWeirError } from '../../src/core/error.ts'
import { type InputAnswers, InputRequired } from '../../src/core/outcome.ts'
import { isObject } from '../../src/core/parse-json.ts'
import { toJsonSchema } from '../../src/core/schema.ts'
import type { RunContext, Target, Tool } from '../../src/core/tool.ts'
import { openStore } from '../../src/store/open-store.ts'

/**
 * The client under test, as the conformance suite starts it: our `mcp` connector, which opens the suite's server and
 * calls, reads and gets what it offers. The suite appends the server's URL. The executor is left out, because some
 * scenarios send arguments that break the tool's own schema, which never get past it.
 */
const url = process.argv.at(-1) ?? ''
const suite: SuiteContext = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}')

/** What the suite tells of a scenario beside its server's URL. */
interface SuiteContext {
  readonly toolCalls?: readonly ToolCall[]
  readonly client_id?: string
  readonly client_secret?: string
}

interface ToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

const roundsMax = 8
const callMs = 10_000
const clientCapabilities = { elicitation: { form: {} }, sampling: {}, roots: {} }
/** The document that the suite expects a client to be known by. */
const clientMetadataUrl = 'https://conformance-test.local/client-metadata.json'

const base = createBase({ hostEnv: {}, person: createAgreeingPerson() })
const connector = base.connectors.find(({ type }) => type === 'mcp')!
const { signal } = new AbortController()
const config = { url, allowPrivate: true, auth: await readAuth() }
const stores = await openStore({ url: 'sqlite::memory:', baseDir: tmpdir(), log: base.log })
const connection = await connector.open(connector.config.parse(config), {
  ...{ name: 'suite', baseDir: tmpdir(), log: base.log, signal, credentials: stores.credentials },
})
try {
  await exercise(connection)
} finally {
  await connection.close()
  await stores.close()
  await base.egress.close()
}

/** Agrees to everything without a browser: the suite's pages send whoever comes straight back. */
function createAgreeingPerson(): Person {
  const redirectUri = 'http://127.0.0.1:49152/callback'
  const go = async (page: string) => {
    const { headers, status } = await fetch(page, { redirect: 'manual' })
    const back = headers.get('location')
    if (back === null) throw new Error(`The page answered ${status} and sends nobody back.`)
    return new URL(back).searchParams
  }
  return { meet: async () => ({ redirectUri, go, close: async () => {} }) }
}

/** A client that was registered beforehand knows with whom: its secret is for that issuer alone. */
async function readAuth(): Promise<Record<string, unknown>> {
  const { client_id: clientId, client_secret: clientSecret } = suite
  if (clientId === undefined) return { type: 'oauth', clientMetadataUrl }
  const metadata = new URL('/.well-known/oauth-protected-resource/mcp', url)
  const { authorization_servers } = (await (await fetch(metadata)).json()) as Record<string, string[]>
  return { type: 'oauth', clientId, clientSecret, issuer: authorization_servers?.[0] }
}

async function exercise(open: Connection): Promise<void> {
  const targets = open.targets()
  const named = (name: string) => targets.find((target) => target.kind === 'tool' && target.name === name)
  for (const { name, arguments: input } of suite.toolCalls ?? []) {
    const tool = named(name)
    if (tool !== undefined) await run(tool, input)
  }
  for (const target of targets) {
    if (target.kind === 'tool' && suite.toolCalls === undefined) await run(target, sample(target))
    if (target.kind === 'resource') await run(target, { uri: target.name })
    if (target.kind === 'prompt') await run(target, {})
  }
}

/** Calls once more with the answers for as long as there are questions. A call that fails is the suite's to judge. */
async function run(target: Target, input: unknown): Promise<void> {
  let answers: InputAnswers | undefined
  for (let round = 0; round < roundsMax; round += 1) {
    try {
      const answer = await (target as Tool).run(input, createContext(answers))
      process.stderr.write(`${target.kind} ${target.name}: ${JSON.stringify(answer)}\n`)
      if (!(answer instanceof InputRequired)) return
      answers = agree(answer)
    } catch (thrown) {
      process.stderr.write(`${target.kind} ${target.name}: ${toWeirError(thrown).message}\n`)
      return
    }
  }
}

function createContext(answers: InputAnswers | undefined): RunContext {
  const stop = new Cancellation()
  return {
    ...{ stop, signal: stop.signal, deadlineMs: performance.now() + callMs, clientCapabilities },
    ...{ caller: { subject: 'suite', tenant: 'default' }, wantsProgress: false, emit() {} },
    ...(answers === undefined ? {} : { answers }),
  }
}

function agree({ questions, resume }: InputRequired): InputAnswers {
  const yes = { action: 'accept', content: { confirmed: true } }
  const responses = Object.fromEntries(Object.keys(questions).map((key) => [key, yes]))
  return { responses, ...(resume === undefined ? {} : { resume }) }
}

/** Arguments of the types that the tool's schema names, for what it requires. */
function sample({ input }: Tool): Record<string, unknown> {
  const { required, properties } = toJsonSchema(input)
  const names = Array.isArray(required) ? required.map(String) : []
  return Object.fromEntries(
    names.map((name) => {
      const schema = isObject(properties) ? properties[name] : undefined
      const type = isObject(schema) ? schema['type'] : undefined
      return [name, type === 'number' || type === 'integer' ? 3 : type === 'boolean' ? true : 'text']
    }),
  )
}
