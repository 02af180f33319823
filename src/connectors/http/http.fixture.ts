import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import type { WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Result } from '../../core/outcome.ts'
import { type Schema, toJsonSchema } from '../../core/schema.ts'
import { isTool, type RunContext } from '../../core/tool.ts'
import { createEgress } from '../../egress/create-egress.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { createHttpConnector } from './http.ts'
import type { HttpAnswer } from './render-answer.ts'

/** A real API on loopback that remembers what reached it. */
export interface RealServer {
  readonly server: Server
  readonly origin: string
  readonly seen: { readonly request: IncomingMessage; readonly body: string }[]
  connections: number
  answer: RequestListener
}

/** Starts one, on a free port unless one is given. */
export async function listen(answer: RequestListener, port = 0): Promise<RealServer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    real.seen.push({ request, body: Buffer.concat(chunks).toString() })
    real.answer(request, response)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const real: RealServer = { server, origin, seen: [], connections: 0, answer }
  server.on('connection', () => real.connections++)
  return real
}

/** An API, a canary that must see nothing, and the connector between them. */
export async function createWorld({ clock = systemClock }: { readonly clock?: Clock } = {}) {
  const egress = createEgress({ log: silentLogger })
  const upstream = await listen((_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}'),
  )
  const canary = await listen((_request, response) => response.end('gotcha'))
  const connector = createHttpConnector({ egress, clock, compileSchema: compileJsonSchema })
  const opened: Connection[] = []
  return {
    upstream,
    canary,
    connector,
    async open(apis: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<Connection> {
      const { signal } = new AbortController()
      const config = connector.config.parse({ apis, ...more })
      const connection = await connector.open(config, {
        name: 'test',
        baseDir: '/',
        log: silentLogger,
        signal,
      })
      opened.push(connection)
      return connection
    },
    async close() {
      await Promise.all(opened.map((connection) => connection.close()))
      await egress.close()
      for (const { server } of [upstream, canary]) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

/** Runs a tool as the executor would: arguments checked and passed on as they are, the answer checked after. */
export async function callTool<T = Record<string, unknown>>(
  from: Connection,
  name: string,
  input: Record<string, unknown>,
  { signal = new AbortController().signal, deadlineMs = Number.POSITIVE_INFINITY }: Partial<RunContext> = {},
): Promise<T & { isError: boolean }> {
  const tool = from
    .targets()
    .filter(isTool)
    .find((one) => one.name === name)!
  checkValue(tool.input, input)
  const result = (await tool.run(input, {
    signal,
    stop: signal,
    deadlineMs,
    caller: { subject: 'local:test', tenant: 'local' },
    wantsProgress: false,
    emit: () => {},
  })) as Result
  checkValue(tool.output!, result.structuredContent)
  return { ...(result.structuredContent as T), isError: result.isError === true }
}

/** Runs `http_request`, by default with GET at the API `crm`. */
export function callApi(from: Connection, input: Record<string, unknown>, signal?: AbortSignal) {
  const given = { method: 'GET', api_name: 'crm', ...input }
  return callTool<HttpAnswer>(from, 'http_request', given, signal === undefined ? {} : { signal })
}

function checkValue(schema: Schema, value: unknown): void {
  const issues = compileJsonSchema(toJsonSchema(schema))(value)
  if (issues.length > 0) throw new Error(JSON.stringify(issues))
}

/** The error of a call that must fail. */
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The call went through.'),
    (thrown: WeirError) => thrown,
  )
