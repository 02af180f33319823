import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

// Lists the tools of a Weir and calls one: `node examples/sdk-client/client.ts http://127.0.0.1:8000/mcp`.
// With `auto` the official SDK takes the newest protocol revision that both ends speak; without it, an old one.

const [url = 'http://127.0.0.1:8000/mcp'] = process.argv.slice(2)
const client = new Client({ name: 'example', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
await client.connect(new StreamableHTTPClientTransport(new URL(url)))

const { tools } = await client.listTools()
for (const { name, description } of tools) process.stdout.write(`${name}: ${description}\n`)

const answer = await client.callTool({
  name: 'database__execute_query',
  arguments: { database: 'shop', query: 'select count(*) as n from orders' },
})
process.stdout.write(`${JSON.stringify(answer.structuredContent ?? answer.content)}\n`)
await client.close()
