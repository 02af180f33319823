import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { embedWeir, type Weir } from '../../app.ts'
import type { AnyConnector } from '../../core/connector.ts'
import { createSseDecoder } from '../../wire/sse.ts'
import { createProbe, type Probe } from './probe.fixture.ts'

type Fields = Readonly<Record<string, unknown>>

/** A JSON-RPC message, seen from outside. */
export interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Fields
  readonly result?: Fields
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Fields }
}

/** What came back for one request. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** One for a JSON object, one an event for a stream, each of a batch. */
  readonly messages: readonly Message[]
}

export interface Sending {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A response that is still coming. */
export interface OpenReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The next message; rejects where the stream ends first. */
  next(): Promise<Message>
  /** Resolves with what was not asked for by `next` when the server ends the stream. */
  rest(): Promise<readonly Message[]>
  /** Leaves without a word, as a client does whose cable is cut. */
  leave(): void
}

/** A Weir with the probe connector behind it, on a real socket. */
export interface Gateway extends AsyncDisposable {
  readonly weir: Weir
  readonly probe: Probe
  readonly url: URL
  send(sending: Sending): Promise<Reply>
  open(sending: Sending): Promise<OpenReply>
  /** A request of 2026-07-28 with everything it needs; `sending` changes what it says. */
  modern(method: string, params?: Fields, sending?: Sending): Promise<Reply>
  legacy(method: string, params?: Fields, sending?: Sending): Promise<Reply>
  /** The id of a new session. */
  initialize(protocolVersion?: string, capabilities?: Fields): Promise<string>
}

export const version = '2026-07-28'
const both = 'application/json, text/event-stream'
let ids = 0

/** `_meta` of a modern request. */
export function modernMeta(more: Fields = {}): Fields {
  return {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
    ...more,
  }
}

/** A modern request as it goes over the wire: its body, and the headers that repeat it. */
export function modernRequest(method: string, params: Fields = {}, sending: Sending = {}): Sending {
  const name = params['name'] ?? params['uri'] ?? params['taskId']
  const body = { jsonrpc: '2.0', id: ++ids, method, params: { _meta: modernMeta(), ...params } }
  return {
    body,
    ...sending,
    headers: {
      'mcp-protocol-version': version,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...sending.headers,
    },
  }
}

export function legacyRequest(method: string, params: Fields = {}, sending: Sending = {}): Sending {
  return { body: { jsonrpc: '2.0', id: ++ids, method, params }, ...sending }
}

export async function startGateway(
  more: Fields = {},
  connectors: readonly AnyConnector[] = [],
  settleMaxMs = 5_000,
): Promise<Gateway> {
  const probe = createProbe()
  const weir = embedWeir({
    config: { connections: { probe: { type: 'probe' } }, log: { level: 'silent' }, ...more },
    connectors: [probe.connector, ...connectors],
  })
  const { url } = await weir.listen({ port: 0 })
  await weir.catalog.settled(settleMaxMs)
  const agent = new Agent({ keepAlive: true })
  const at = new URL(url)
  const send = async (sending: Sending) => readReply((await exchange(at, agent, sending))[0])
  return {
    weir,
    probe,
    url: at,
    send,
    open: async (sending) => openReply(...(await exchange(at, agent, sending))),
    modern: (method, params, sending) => send(modernRequest(method, params, sending)),
    legacy: (method, params, sending) => send(legacyRequest(method, params, sending)),
    async initialize(protocolVersion = '2025-11-25', capabilities = {}) {
      const clientInfo = { name: 'test', version: '1' }
      const reply = await send(legacyRequest('initialize', { protocolVersion, capabilities, clientInfo }))
      return String(reply.headers['mcp-session-id'])
    },
    async [Symbol.asyncDispose]() {
      agent.destroy()
      await weir.close(1_000)
    },
  }
}

async function exchange(
  url: URL,
  agent: Agent,
  { method = 'POST', path = '/mcp', headers = {}, body }: Sending,
): Promise<[IncomingMessage, ClientRequest]> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const sent = request(new URL(path, url), { method, agent, headers: { accept: both, ...type, ...headers } })
  sent.end(text)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return [response, sent]
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) text += chunk
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    messages: readMessages(response.headers['content-type'] ?? '', text),
  }
}

function readMessages(type: string, text: string): readonly Message[] {
  if (type.startsWith('text/event-stream')) {
    const messages: Message[] = []
    createSseDecoder(2 ** 26, ({ data }) => messages.push(JSON.parse(data))).push(Buffer.from(text))
    return messages
  }
  if (text === '' || !type.startsWith('application/json')) return []
  const value: unknown = JSON.parse(text)
  return Array.isArray(value) ? value : [value as Message]
}

function openReply(response: IncomingMessage, sent: ClientRequest): OpenReply {
  const arrived: Message[] = []
  const decoder = createSseDecoder(2 ** 26, ({ data }) => {
    arrived.push(JSON.parse(data))
    response.emit('arrived')
  })
  response.on('data', (chunk: Buffer) => decoder.push(chunk))
  response.on('error', () => {})
  sent.on('error', () => {})
  const ended = new Promise((resolve) => response.once('close', resolve))
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    async next() {
      if (arrived.length === 0) await Promise.race([once(response, 'arrived'), ended])
      const message = arrived.shift()
      if (message === undefined) throw new Error('The stream ended.')
      return message
    },
    async rest() {
      await ended
      return arrived.splice(0)
    },
    leave: () => sent.destroy(),
  }
}
