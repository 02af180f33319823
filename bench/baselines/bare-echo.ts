// The least that can answer a tools/call over HTTP: node:http, one JSON.parse, one JSON.stringify.
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { serveOnLoopback } from '../harness/announce.ts'
import { isModern, type RpcRequest, readBody } from './rpc-request.ts'

const { values } = parseArgs({ options: { 'pad-chars': { type: 'string', default: '0' } } })
const padChars = Number(values['pad-chars'])
/** Makes the answer as long as that of the server this one is compared with. */
const padding = padChars > 0 ? { _meta: { pad: 'x'.repeat(padChars) } } : {}

serveOnLoopback(
  createServer((request, response) => {
    readBody(request, (body) => {
      const rpc = JSON.parse(body.toString()) as RpcRequest
      const content = [{ type: 'text', text: rpc.params.arguments.text }]
      const result = isModern(rpc) ? { content, resultType: 'complete', ...padding } : { content, ...padding }
      const answer = JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result })
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(answer),
      })
      response.end(answer)
    })
  }),
)
