// Weir in front of one upstream MCP server, reached by URL.
import { parseArgs } from 'node:util'
import { embedWeir } from '../../src/app.ts'
import { announce, endWithParent } from '../harness/announce.ts'
import { policiesOff } from './policies.ts'

const { values } = parseArgs({ options: { upstream: { type: 'string' } } })

endWithParent()
const weir = embedWeir({
  config: {
    connections: { bench: { type: 'mcp', url: values.upstream, allowPrivate: true } },
    server: { port: 0 },
    ...policiesOff,
  },
})
const { url } = await weir.listen()
announce(new URL('/mcp', url).href)
