// An MCP server of both eras that does the minimum: what stands behind every proxy that is measured.
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { serveOnLoopback } from '../harness/announce.ts'
import { createRealisticTools, echoDefinition } from '../harness/realistic-tools.ts'
import { isModern, type RpcRequest, readBody } from './rpc-request.ts'

const { values } = parseArgs({
  options: { tools: { type: 'string', default: '1' }, era: { type: 'string', default: 'both' } },
})
const tools = [echoDefinition, ...createRealisticTools(Number(values.tools) - 1)]
const serverInfo = { name: 'echo-upstream', version: '1.0.0' }
const capabilities = { tools: {} }
const cacheable = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' }
const legacyList = JSON.stringify({ tools })
const modernList = JSON.stringify({ tools, ...cacheable })
const discovery = JSON.stringify({
  supportedVersions: ['2026-07-28'],
  capabilities,
  serverInfo,
  ...cacheable,
})

interface Answer {
  readonly status: number
  readonly body: string
  readonly sessionId?: string
}

function answerWith(id: RpcRequest['id'], result: string): Answer {
  return { status: 200, body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}` }
}

function refuse(status: number, id: RpcRequest['id'], code: number, message: string): Answer {
  return { status, body: JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error: { code, message } }) }
}

function initialize(rpc: RpcRequest): Answer {
  const protocolVersion = '2025-11-25'
  const result = JSON.stringify({ protocolVersion, capabilities, serverInfo })
  return { ...answerWith(rpc.id, result), sessionId: 'the-only-session' }
}

function callTool(rpc: RpcRequest, modern: boolean): Answer {
  if (rpc.params.name !== 'echo') return refuse(200, rpc.id, -32602, `Unknown tool ${rpc.params.name}`)
  const text = JSON.stringify(rpc.params.arguments.text)
  const end = modern ? '],"resultType":"complete"}' : ']}'
  return answerWith(rpc.id, `{"content":[{"type":"text","text":${text}}${end}`)
}

function answer(rpc: RpcRequest): Answer {
  if (rpc.id === undefined) return { status: 202, body: '' }
  const modern = isModern(rpc)
  if (values.era !== 'both' && modern !== (values.era === '2026-07-28')) {
    return refuse(400, rpc.id, modern ? -32000 : -32022, 'Bad Request: Unsupported protocol version')
  }
  switch (rpc.method) {
    case 'tools/call':
      return callTool(rpc, modern)
    case 'tools/list':
      return answerWith(rpc.id, modern ? modernList : legacyList)
    case 'server/discover':
      return answerWith(rpc.id, discovery)
    case 'initialize':
      return initialize(rpc)
    case 'ping':
      return answerWith(rpc.id, '{}')
    default:
      return refuse(modern ? 404 : 200, rpc.id, -32601, 'Method not found')
  }
}

serveOnLoopback(
  createServer((request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(request.method === 'DELETE' ? 200 : 405).end()
      return
    }
    readBody(request, (bytes) => {
      const { status, body, sessionId } = answer(JSON.parse(bytes.toString()) as RpcRequest)
      response.writeHead(status, {
        ...(body === '' ? {} : { 'content-type': 'application/json' }),
        'content-length': Buffer.byteLength(body),
        ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId }),
      })
      response.end(body)
    })
  }),
)
