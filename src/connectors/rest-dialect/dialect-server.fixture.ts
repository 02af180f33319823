import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import type { WeirError } from '../../core/error.ts'
import type { Result } from '../../core/outcome.ts'
import { isTool, type Tool } from '../../core/tool.ts'
import { createEgress } from '../../egress/create-egress.ts'
import { createLog } from '../../telemetry/log.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createRestDialectConnector } from './rest-dialect.ts'
import type { RestDialectConnection } from './rest-dialect-connection.ts'

/** A tool as an honest server defines it. */
export const echo = {
  name: 'echo',
  description: 'Says it again.',
  input_schema: { type: 'object', properties: { text: { type: 'string' } } },
}

/** A real server on loopback that says whatever a test wants, and remembers what reached it. */
export interface DialectServer {
  readonly url: string
  readonly seen: {
    readonly method: string
    readonly path: string
    readonly headers: IncomingMessage['headers']
    readonly body: string
  }[]
  /** What `/mcp/discover` answers. */
  discovery: unknown
  /** Answers all else, and discovery where it is set for it. */
  answer: (path: string, response: ServerResponse) => void
  close(): void
}

export function json(value: unknown, status = 200) {
  return (_path: string, response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

export async function startDialectServer(): Promise<DialectServer> {
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url: path = '', headers } = request
    server.seen.push({ method, path, headers, body: Buffer.concat(chunks).toString() })
    if (path === '/mcp/discover' && server.discovery !== undefined) json(server.discovery)(path, response)
    else server.answer(path, response)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const server: DialectServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    seen: [],
    discovery: { server_name: 'mail', version: '1', description: '', tools: [echo], capabilities: [] },
    answer: json({ status: 'healthy' }),
    close() {
      http.closeAllConnections()
      http.close()
    },
  }
  return server
}

/** The connector on a clock that a test moves, with its log. */
export function createWorld() {
  const clock = createFakeClock()
  const lines: Record<string, unknown>[] = []
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  log.configure({ level: 'debug', format: 'json', redact: (line) => line })
  const egress = createEgress({ log })
  const connector = createRestDialectConnector({ egress, clock })
  const opened: Connection[] = []
  return {
    clock,
    lines,
    connector,
    async open(
      config: Record<string, unknown>,
      more: { readonly baseDir?: string; readonly notes?: Readonly<Record<string, string>> } = {},
    ): Promise<RestDialectConnection> {
      const context = { name: 'up', baseDir: '/', log, signal: new AbortController().signal, ...more }
      const connection = await connector.open(
        connector.config.parse({ allowPrivate: true, ...config }),
        context,
      )
      opened.push(connection)
      return connection as RestDialectConnection
    },
    async close() {
      await Promise.all(opened.map((connection) => connection.close()))
      await egress.close()
    },
  }
}

export const toolsOf = (connection: Connection) => connection.targets().filter(isTool)

export function find(connection: Connection, name: string): Tool {
  return toolsOf(connection).find((tool) => tool.name === name)!
}

/** Runs a tool as the executor would, all but the checks of its arguments and answer. */
export async function run(
  connection: Connection,
  name: string,
  input: unknown = {},
  signal = new AbortController().signal,
): Promise<Result> {
  const context = {
    signal,
    stop: signal,
    deadlineMs: Number.POSITIVE_INFINITY,
    caller: { subject: 'local:test', tenant: 'local' },
    wantsProgress: false,
    emit() {},
  }
  return (await find(connection, name).run(input, context)) as Result
}

/** The error of what must fail. */
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('It went well.'),
    (thrown: WeirError) => thrown,
  )
