import { createSseDecoder } from '../../src/wire/sse.ts'

export interface RawMessage {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number }
}
export interface RawStream {
  next(): Promise<RawMessage>
  leave(): void
}

/** A client without any library, for what no honest client does. */
export interface RawClient {
  /** One request of 2026-07-28. */
  modern(method: string, params: object): Promise<RawMessage>
  legacy(method: string, params: object, more: { session?: string; accept?: string }): Promise<RawMessage>
  /** One request of a session, whose answer is read message by message. */
  open(method: string, params: object, session: string): Promise<RawStream>
  /** Sends any message; the HTTP status. */
  post(message: object, session?: string): Promise<number>
  initialize(protocolVersion?: string): Promise<string>
  end(session: string): Promise<void>
}

const both = 'application/json, text/event-stream'
let ids = 0

export function startRawClient(url: URL, capabilities: object): RawClient {
  const send = (body: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: both, ...headers },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    })
  const request = (method: string, params: object) => ({ jsonrpc: '2.0', id: ++ids, method, params })
  const withSession = (session?: string): Record<string, string> =>
    session === undefined ? {} : { 'mcp-session-id': session }
  return {
    async modern(method, params) {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': capabilities,
      }
      const headers = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        'mcp-name': String((params as { name?: string }).name),
      }
      return read(await send(request(method, { ...params, _meta }), headers))
    },
    legacy: async (method, params, { session, accept = both }) =>
      read(await send(request(method, params), { ...withSession(session), accept })),
    async open(method, params, session) {
      const leaving = new AbortController()
      const response = await send(request(method, params), withSession(session), leaving.signal)
      return { next: readOneByOne(response), leave: () => leaving.abort() }
    },
    post: async (message, session) => (await send(message, withSession(session))).status,
    async initialize(protocolVersion = '2025-11-25') {
      const clientInfo = { name: 'raw', version: '1' }
      const response = await send(request('initialize', { protocolVersion, capabilities, clientInfo }))
      return String(response.headers.get('mcp-session-id'))
    },
    async end(session) {
      await fetch(url, { method: 'DELETE', headers: withSession(session) })
    },
  }
}

async function read(response: Response): Promise<RawMessage> {
  if (response.headers.get('content-type')?.startsWith('application/json'))
    return (await response.json()) as RawMessage
  return readOneByOne(response)()
}

function readOneByOne(response: Response): () => Promise<RawMessage> {
  if (response.headers.get('content-type')?.startsWith('application/json'))
    return async () => (await response.json()) as RawMessage
  const arrived: RawMessage[] = []
  const decoder = createSseDecoder(2 ** 26, ({ data }) => arrived.push(JSON.parse(data)))
  const reader = response.body!.getReader()
  return async () => {
    while (arrived.length === 0) {
      const { done, value } = await reader.read()
      if (done) throw new Error('The stream ended.')
      decoder.push(value)
    }
    return arrived.shift()!
  }
}
