import { expect } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import type { WeirError } from '../../core/error.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import { toJsonSchema } from '../../core/schema.ts'
import { isTool, type Tool } from '../../core/tool.ts'
import { createEgress } from '../../egress/create-egress.ts'
import type { EgressOptions } from '../../egress/egress.ts'
import { createAwsConnector } from './aws.ts'

/** Stand in every test's config, and must stand in no answer. */
export const secretKey = 'wJalrCanaryK7MDENGbPxRfiCYEXAMPLEKEY'
export const sessionToken = 'FwoCanaryIvYXdzEBYaDExample0Token'
export const keys = { accessKeyId: 'AKIACANARY', secretAccessKey: secretKey, sessionToken }

interface WorldOptions {
  readonly hostEnv?: Readonly<Record<string, string | undefined>>
  readonly log?: Logger
  readonly lookup?: EgressOptions['lookup']
}

/** The connector, and the connections that a test opens of it. */
export function createAwsWorld({ hostEnv = {}, log = silentLogger, lookup }: WorldOptions = {}) {
  const egress = createEgress({ log, ...(lookup === undefined ? {} : { lookup }) })
  const connector = createAwsConnector({ egress, hostEnv })
  const opened: Connection[] = []
  return {
    connector,
    async open(config: Record<string, unknown>, baseDir = '/'): Promise<Connection> {
      const parsed = connector.config.parse({ credentials: keys, allowPrivate: true, ...config })
      const { signal } = new AbortController()
      const connection = await connector.open(parsed, { name: 'cloud', baseDir, log, signal })
      opened.push(connection)
      return connection
    },
    async close() {
      await Promise.all(opened.map((connection) => connection.close()))
      await egress.close()
    },
  }
}

/** The one tool of this name. */
export function findTool(connection: Connection, name: string): Tool {
  const tool = connection
    .targets()
    .filter(isTool)
    .find((target) => target.name === name)
  if (tool === undefined) throw new Error(`no tool ${name}`)
  return tool
}

/** Runs a tool as the executor would: arguments checked and passed on as they are, the answer checked after. */
export async function callTool(
  connection: Connection,
  name: string,
  input: Record<string, unknown>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Record<string, unknown>> {
  const tool = findTool(connection, name)
  parse(tool.input, input)
  const result = await tool.run(input, {
    signal,
    stop: signal,
    deadlineMs: Number.POSITIVE_INFINITY,
    caller: { subject: 'local:test', tenant: 'local' },
    wantsProgress: false,
    emit() {},
  })
  const { structuredContent } = result as { structuredContent: Record<string, unknown> }
  parse(tool.output, structuredContent)
  return structuredContent
}

const parse = (schema: unknown, value: unknown) => (schema as { parse(value: unknown): unknown }).parse(value)

/** The JSON Schema that clients see of a tool's arguments. */
export const schemaOf = (connection: Connection, name: string) =>
  toJsonSchema(findTool(connection, name).input)

/** The error of a call that must fail. */
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The call went through.'),
    (thrown: WeirError) => thrown,
  )
