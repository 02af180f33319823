// Weir with one in-process connection: the echo tool and, with --tools, as many others as a large catalog has. Policies
// are off, or with --collector all on, spans going there.
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { embedWeir } from '../../src/app.ts'
import { defineConnector } from '../../src/core/connector.ts'
import { jsonSchema } from '../../src/core/schema.ts'
import type { Tool } from '../../src/core/tool.ts'
import { announce, endWithParent } from '../harness/announce.ts'
import { createRealisticTools, echoDefinition, type ToolDefinition } from '../harness/realistic-tools.ts'
import { policiesOff, policiesOn } from './policies.ts'

const { values } = parseArgs({
  options: {
    tools: { type: 'string', default: '1' },
    effect: { type: 'string', default: 'read' },
    collector: { type: 'string' },
    store: { type: 'string', default: 'sqlite::memory:' },
  },
})

function createEchoTool({ name, description, inputSchema }: ToolDefinition): Tool<{ text: string }> {
  return {
    kind: 'tool',
    name,
    description,
    effect: values.effect === 'write' ? 'write' : 'read',
    input: jsonSchema<{ text: string }>({ ...inputSchema }),
    run: async ({ text }) => ({ content: [{ type: 'text', text }] }),
  }
}

const definitions = [echoDefinition, ...createRealisticTools(Number(values.tools) - 1)]
const targets = definitions.map(createEchoTool) as readonly Tool[]

const echoConnector = defineConnector({
  type: 'bench-echo',
  summary: 'Answers with what it was given.',
  config: z.object({}),
  open: async () => ({ targets: () => targets, check: async () => {}, close: async () => {} }),
})

endWithParent()
const weir = embedWeir({
  config: {
    connections: { bench: { type: 'bench-echo' } },
    server: { port: 0 },
    store: { url: values.store },
    ...(values.collector === undefined ? policiesOff : policiesOn(values.collector)),
  },
  connectors: [echoConnector],
})
const { url } = await weir.listen()
announce(new URL('/mcp', url).href)
