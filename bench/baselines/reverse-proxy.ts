// The least that stands between a client and a server: node:http in front, an undici Pool behind, no JSON.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { parseArgs } from 'node:util'
import { type Dispatcher, Pool } from 'undici'
import { serveOnLoopback } from '../harness/announce.ts'
import { readBody } from './rpc-request.ts'

const { values } = parseArgs({ options: { upstream: { type: 'string' } } })
const upstream = new URL(values.upstream!)
const pool = new Pool(upstream.origin, { connections: 64, pipelining: 1 })

/** Headers that belong to one connection only. */
const hopHeaders = ['connection', 'keep-alive', 'transfer-encoding', 'host', 'content-length', 'upgrade']

function passOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const passed = { ...headers }
  for (const name of hopHeaders) delete passed[name]
  return passed
}

/** Writes what the upstream answers to the client as it comes. */
function passBack(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart() {},
    onResponseStart(_controller, status, headers) {
      const { connection: _, 'keep-alive': __, ...passed } = headers
      response.writeHead(status, passed)
    },
    onResponseData: (_controller, chunk) => void response.write(chunk),
    onResponseEnd: () => void response.end(),
    onResponseError(_controller, error) {
      process.stderr.write(`${error.stack}\n`)
      response.writeHead(502).end()
    },
  }
}

serveOnLoopback(
  createServer((request, response) => {
    readBody(request, (body) => {
      const method = request.method as Dispatcher.HttpMethod
      pool.dispatch(
        { method, path: upstream.pathname, headers: passOn(request.headers), body },
        passBack(response),
      )
    })
  }),
)
