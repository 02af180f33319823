import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkParamHeaders, checkStandardHeaders, headerNames, readParamHeaders } from '../wire/headers.ts'
import { type Params, type RequestId, renderNotification } from '../wire/json-rpc.ts'
import { newestLegacy, newestModern } from '../wire/revisions/index.ts'
import { renderSseMessage } from '../wire/sse.ts'
import { type Body, openEventStream, readBody, sendError, sendResult } from './fake-mcp-messages.ts'

/** One call as a fake tool sees it. */
export interface FakeCall {
  readonly arguments: unknown
  /** All of the request's params, `_meta` included. */
  readonly params: Params
  /** Turns the answer into an event stream and sends a notification on it. */
  notify(method: string, params: unknown): void
  /** Aborts when the client leaves or cancels. */
  readonly signal: AbortSignal
}

/** A tool by its definition, whatever that holds, and what it answers: a whole result, as it goes on the wire. */
export interface FakeTool {
  readonly name: string
  readonly inputSchema?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
  readonly run?: (call: FakeCall) => unknown
}

/** A request as it arrived. */
export interface SeenRequest {
  readonly httpMethod: string
  readonly headers: IncomingMessage['headers']
  /** The JSON-RPC method; undefined for GET, DELETE and what is no JSON-RPC. */
  readonly method?: string
  /** Undefined for notifications too. */
  readonly id?: RequestId | undefined
  readonly params: Params
}

/** What the server is and does; everything has a default. */
export interface FakeMcpServerOptions {
  /** What it speaks (`both`). */
  readonly era?: 'modern' | 'legacy' | 'both'
  readonly tools?: readonly FakeTool[]
  /** Any free one by default. */
  readonly port?: number
  /** Sees each request first; after `true` the server leaves the answer to it. */
  readonly intercept?: (seen: SeenRequest, response: ServerResponse) => boolean | undefined
}

/** A real MCP server on loopback that does what a test tells it to. Bounded by the test, not by itself. */
export interface FakeMcpServer {
  readonly url: string
  readonly port: number
  /** Oldest first. */
  readonly seen: readonly SeenRequest[]
  /** Sessions that are open. */
  readonly sessions: number
  /** Replaces the tools and tells every client that listens. */
  setTools(tools: readonly FakeTool[]): void
  /** Forgets every session without a word, as a restarted server would. */
  dropSessions(): void
  /** Cuts every connection and stops listening. */
  close(): Promise<void>
}

const echo: FakeTool = {
  name: 'echo',
  inputSchema: { type: 'object' },
  run: (call) => ({ content: [{ type: 'text', text: JSON.stringify(call.arguments) }] }),
}

/** Starts one; its only tool, unless told otherwise, is `echo`. */
export async function startFakeMcpServer(options: FakeMcpServerOptions = {}): Promise<FakeMcpServer> {
  const fake = new Fake(options)
  await fake.listen(options.port ?? 0)
  return fake
}

interface Listening {
  readonly response: ServerResponse
  readonly meta: Readonly<Record<string, unknown>> | undefined
}

class Fake implements FakeMcpServer {
  readonly seen: SeenRequest[] = []
  readonly #options: FakeMcpServerOptions
  readonly #server: Server
  readonly #sessions = new Set<string>()
  readonly #listening = new Set<Listening>()
  readonly #running = new Map<RequestId, AbortController>()
  #tools: readonly FakeTool[]
  #lastSession = 0
  #port = 0

  constructor(options: FakeMcpServerOptions) {
    this.#options = options
    this.#tools = options.tools ?? [echo]
    this.#server = createServer((request, response) => {
      void this.#serve(request, response)
    })
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port
        resolve()
      })
    })
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`
  }

  get sessions(): number {
    return this.#sessions.size
  }

  setTools(tools: readonly FakeTool[]): void {
    this.#tools = tools
    for (const { response, meta } of this.#listening) {
      const params = meta === undefined ? undefined : { _meta: meta }
      response.write(renderSseMessage(renderNotification('notifications/tools/list_changed', params)))
    }
  }

  dropSessions(): void {
    this.#sessions.clear()
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = readBody(Buffer.concat(chunks))
    const { method = '', params = {} } = body ?? {}
    const httpMethod = request.method ?? ''
    const seen = {
      httpMethod,
      headers: request.headers,
      params,
      ...(body === undefined ? {} : { method, id: body.id }),
    }
    this.seen.push(seen)
    if (this.#options.intercept?.(seen, response) === true) return
    if (httpMethod === 'GET') this.#openStream(request, response)
    else if (httpMethod === 'DELETE') this.#endSession(request, response)
    else if (body === undefined) sendError(response, 400, undefined, -32700, 'Not a message.')
    else if (body.id === undefined) this.#takeNotification(body, response)
    else await this.#answer({ ...body, id: body.id }, request, response)
  }

  async #answer(
    { id, method, params }: Required<Body>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { era = 'both' } = this.#options
    const modern = request.headers[headerNames.protocolVersion] === newestModern.version
    if (modern && era === 'legacy')
      return sendError(response, 400, undefined, -32000, 'Bad Request: no version')
    if (!modern && era === 'modern')
      return sendError(response, 400, id, -32022, 'Unsupported version', {
        supported: [newestModern.version],
      })
    if (!modern && method === 'initialize') return this.#openSession(id, response)
    if (!modern && !this.#sessions.has(String(request.headers[headerNames.session])))
      return sendError(response, 404, undefined, -32001, 'Session not found')
    if (modern) {
      try {
        checkStandardHeaders(request.headers, method, params)
        newestModern.readMeta(params)
        this.#checkParams(request, method, params)
      } catch (error) {
        return sendError(response, 400, id, -32020, (error as Error).message)
      }
    }
    await this.#run({ id, method, params }, modern, response)
  }

  async #run(
    { id, method, params }: Required<Body>,
    modern: boolean,
    response: ServerResponse,
  ): Promise<void> {
    const capabilities = { tools: { listChanged: true }, logging: {} }
    if (method === 'ping' || method === 'logging/setLevel') return sendResult(response, id, {})
    if (method === 'server/discover' && modern)
      return sendResult(response, id, {
        supportedVersions: [newestModern.version],
        capabilities,
        resultType: 'complete',
      })
    if (method === 'tools/list') {
      const tools = this.#tools.map(({ run: _, ...definition }) => ({
        inputSchema: { type: 'object' },
        ...definition,
      }))
      return sendResult(response, id, { tools, ...(modern ? { resultType: 'complete', ttlMs: 0 } : {}) })
    }
    if (method === 'subscriptions/listen' && modern) return this.#subscribe(id, response)
    const tool = this.#tools.find(({ name }) => name === params['name'])
    if (method !== 'tools/call') return sendError(response, 404, id, -32601, `No method ${method}`)
    if (tool === undefined) return sendError(response, modern ? 400 : 200, id, -32602, 'Unknown tool')
    await this.#call(tool, { id, method, params }, response)
  }

  async #call(tool: FakeTool, { id, params }: Required<Body>, response: ServerResponse): Promise<void> {
    const left = new AbortController()
    response.once('close', () => left.abort())
    this.#running.set(id, left)
    const call: FakeCall = {
      params,
      arguments: params['arguments'],
      signal: left.signal,
      notify(method, notified) {
        if (!response.headersSent) openEventStream(response)
        response.write(renderSseMessage(renderNotification(method, notified)))
      },
    }
    const result = await (tool.run ?? echo.run)?.(call)
    this.#running.delete(id)
    if (response.headersSent) response.end(renderSseMessage(JSON.stringify({ jsonrpc: '2.0', id, result })))
    else sendResult(response, id, result)
  }

  #checkParams({ headers }: IncomingMessage, method: string, params: Params): void {
    const tool = this.#tools.find(({ name }) => method === 'tools/call' && name === params['name'])
    if (tool?.inputSchema === undefined) return
    checkParamHeaders(headers, readParamHeaders(tool.inputSchema), params['arguments'])
  }

  #openSession(id: RequestId, response: ServerResponse): void {
    this.#lastSession += 1
    const session = `session-${this.#lastSession}`
    this.#sessions.add(session)
    response.setHeader(headerNames.session, session)
    const capabilities = { tools: { listChanged: true }, logging: {} }
    const serverInfo = { name: 'fake', version: '1.0.0' }
    sendResult(response, id, { protocolVersion: newestLegacy.version, capabilities, serverInfo })
  }

  #openStream({ headers }: IncomingMessage, response: ServerResponse): void {
    if (this.#options.era === 'modern') sendError(response, 405, undefined, -32600, 'No stream here.')
    else if (this.#sessions.has(String(headers[headerNames.session]))) this.#listen(response, undefined)
    else sendError(response, 404, undefined, -32001, 'Session not found')
  }

  #subscribe(id: RequestId, response: ServerResponse): void {
    const meta = { 'io.modelcontextprotocol/subscriptionId': id }
    this.#listen(response, meta)
    const params = { _meta: meta, notifications: { toolsListChanged: true } }
    response.write(renderSseMessage(renderNotification('notifications/subscriptions/acknowledged', params)))
  }

  #listen(response: ServerResponse, meta: Listening['meta']): void {
    openEventStream(response)
    const listening = { response, meta }
    this.#listening.add(listening)
    response.once('close', () => this.#listening.delete(listening))
  }

  #endSession({ headers }: IncomingMessage, response: ServerResponse): void {
    const known = this.#sessions.delete(String(headers[headerNames.session]))
    response.writeHead(known ? 200 : 404).end()
  }

  #takeNotification({ method, params }: Body, response: ServerResponse): void {
    if (method === 'notifications/cancelled') this.#running.get(params['requestId'] as RequestId)?.abort()
    response.writeHead(202).end()
  }
}
