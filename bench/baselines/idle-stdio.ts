import { createInterface } from 'node:readline'
import { createRealisticTools } from '../harness/realistic-tools.ts'

/** An upstream over stdio, without any library: ten tools that nobody calls. */
const results: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'idle', version: '1' },
  },
  'tools/list': { tools: createRealisticTools(10) },
  ping: {},
}
const unknown = { code: -32601, message: 'Method not found' }

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line)
  if (id === undefined) return
  const result = results[method]
  const answer = result === undefined ? { error: unknown } : { result }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`)
})
