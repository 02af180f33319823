// The least that can answer over TLS, by HTTP/2 or HTTP/1.1, whichever the client takes.
import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { parseArgs } from 'node:util'
import { announce, endWithParent } from '../harness/announce.ts'

const { values } = parseArgs({
  options: { cert: { type: 'string', default: '' }, key: { type: 'string', default: '' } },
})

endWithParent()
const tls = { cert: readFileSync(values.cert), key: readFileSync(values.key), allowHTTP1: true }
const server = createSecureServer(tls, (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{"ok":true}')
  })
})
server.listen(0, '127.0.0.1', () => {
  announce(`https://localhost:${(server.address() as { port: number }).port}/`)
})
