import { join } from 'node:path'
import { embedWeir } from 'weir'
import { notes } from '../connector/notes.ts'

// A Weir inside a program: its own connector beside the built-in ones. Run it with
// `node examples/embed/embed.ts`; it serves until it is stopped, on a port of its own.

const weir = embedWeir({
  baseDir: join(import.meta.dirname, '../connector'),
  connectors: [notes],
  config: {
    connections: { notes: { type: 'notes', folder: './notes' } },
    policies: { 'notes:*': { timeout: '5s' } },
    log: { level: 'warn' },
  },
})

const { url } = await weir.listen({ port: 0 })
await weir.catalog.proven(2_000)
for (const { name, state, tools } of weir.catalog.connections()) {
  process.stdout.write(`${name} is ${state} with ${tools} tools\n`)
}
process.stdout.write(`${url}/mcp\n`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void weir.close())
