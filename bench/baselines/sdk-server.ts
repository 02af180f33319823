// The official SDK v2 server with the same echo tool.
import { createServer } from 'node:http'
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { serveOnLoopback } from '../harness/announce.ts'
import { echoDefinition } from '../harness/realistic-tools.ts'
import { createSdkListener } from './sdk-listener.ts'

const inputSchema = z.object({ text: z.string() })

function createEchoServer(): McpServer {
  const server = new McpServer({ name: 'sdk-server', version: '1.0.0' })
  server.registerTool('echo', { description: echoDefinition.description, inputSchema }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }))
  return server
}

serveOnLoopback(createServer(createSdkListener(createEchoServer)))
