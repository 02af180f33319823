// A proxy as one builds it from the official SDK v2: its server in front, one of its clients behind.
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Server } from '@modelcontextprotocol/server'
import { serveOnLoopback } from '../harness/announce.ts'
import { createSdkListener } from './sdk-listener.ts'

const { values } = parseArgs({ options: { upstream: { type: 'string' }, era: { type: 'string' } } })
const mode = values.era === '2026-07-28' ? { pin: '2026-07-28' } : 'legacy'
const client = new Client({ name: 'sdk-proxy', version: '1.0.0' }, { versionNegotiation: { mode } })
await client.connect(new StreamableHTTPClientTransport(new URL(values.upstream!)))

function createProxyServer(): Server {
  const server = new Server({ name: 'sdk-proxy', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', () => client.listTools())
  server.setRequestHandler('tools/call', ({ params }) =>
    client.callTool({ name: params.name, arguments: params.arguments ?? {} }),
  )
  return server
}

serveOnLoopback(createServer(createSdkListener(createProxyServer)))
