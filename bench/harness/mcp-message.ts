import type { Era } from './case.ts'

/** Everything a POST to an MCP endpoint consists of. */
export interface McpPost {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Where a client stands with a server: the era it speaks and, in the old one, the session it was given. */
export interface Peer {
  readonly url: string
  readonly era: Era
  readonly sessionId?: string
}

const clientInfo = { name: 'weir-bench', version: '1.0.0' }

/** What every request of 2026-07-28 says about its client. */
const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': clientInfo,
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** One JSON-RPC request in the peer's era, with the headers that era asks for. */
export function renderRequest(peer: Peer, method: string, params: Record<string, unknown>, id = 1): McpPost {
  const isModern = peer.era === '2026-07-28'
  const name = params['name']
  return {
    url: peer.url,
    headers: {
      ...commonHeaders(peer),
      ...(isModern ? { 'mcp-method': method } : {}),
      ...(isModern && typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id,
      method,
      params: isModern ? { ...params, _meta: modernMeta } : params,
    }),
  }
}

/** The old era's opening request. */
export function renderInitialize(url: string): McpPost {
  const { 'mcp-protocol-version': _, ...headers } = commonHeaders({ url, era: '2025-11-25' })
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  return { url, headers, body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }) }
}

/** The old era's word that the handshake is over. */
export function renderInitialized(peer: Peer): McpPost {
  return {
    url: peer.url,
    headers: commonHeaders(peer),
    body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
  }
}

function commonHeaders(peer: Peer): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': peer.era,
    ...(peer.sessionId === undefined ? {} : { 'mcp-session-id': peer.sessionId }),
  }
}

/** The JSON-RPC result in an answer, be it JSON or an event stream of one message. Throws on an error answer. */
export function parseResult(answer: string): Record<string, unknown> {
  const message = JSON.parse(findJson(answer)) as { result?: Record<string, unknown> }
  if (message.result === undefined) throw new Error(`The answer is no result: ${answer.slice(0, 500)}`)
  return message.result
}

function findJson(answer: string): string {
  if (answer.startsWith('{')) return answer
  const data = answer.split('\n').filter((line) => line.startsWith('data:') && line.includes('"jsonrpc"'))
  if (data.length !== 1) throw new Error(`The answer holds ${data.length} messages: ${answer.slice(0, 500)}`)
  return data[0]!.slice('data:'.length)
}
