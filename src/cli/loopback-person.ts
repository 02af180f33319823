import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MeetingPoint, Person, Visit } from '../core/authorisation.ts'
import { WeirError } from '../core/error.ts'

const host = '127.0.0.1'
const path = '/callback'
const patienceMs = 5 * 60_000
const socketsMax = 16
const page = `<!doctype html><meta charset="utf-8"><title>Weir</title><p>Weir has the answer. You may close this page.`

/** How the person is sent, and how long they may take. */
export interface LoopbackOptions {
  readonly send: (url: string) => void
  readonly patienceMs?: number
}

/** Whoever sits at this machine: sent to a page, and taken in again on a port of it, once. */
export function createLoopbackPerson(options: LoopbackOptions): Person {
  return {
    async meet(at) {
      const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 })
      server.maxConnections = socketsMax
      const port = await listen(server, at)
      return visit(server, port, options)
    },
  }
}

async function listen(server: Server, at: MeetingPoint | undefined): Promise<number> {
  try {
    server.listen(at?.port ?? 0, host)
    await once(server, 'listening')
  } catch (cause) {
    if (at === undefined || (cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    if (!at.isFixed) return listen(server, undefined)
    throw new WeirError('PORT_TAKEN', `Port ${at.port} of ${host} is taken.`, {
      hint: 'Stop what listens there, or set another `auth.redirectPort`, and register that one too.',
      data: { host, port: at.port },
      cause,
    })
  }
  return (server.address() as AddressInfo).port
}

function visit(server: Server, port: number, options: LoopbackOptions): Visit {
  return {
    redirectUri: `http://${host}:${port}${path}`,
    async go(url, signal) {
      const state = new URL(url).searchParams.get('state') ?? ''
      const answer = waitFor(server, `${host}:${port}`, state, signal, options.patienceMs ?? patienceMs)
      options.send(url)
      return answer
    },
    async close() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Web pages may call any port of this machine: what does not bring the secret `state` along is not the answer. */
function waitFor(
  server: Server,
  authority: string,
  state: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<URLSearchParams> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer)
      server.off('request', take)
      server.on('request', (_: IncomingMessage, response: ServerResponse) => refuse(response, 404))
      signal.removeEventListener('abort', abort)
      settle()
    }
    const take = (request: IncomingMessage, response: ServerResponse) => {
      const url = URL.parse(request.url ?? '', `http://${authority}`)
      if (url?.pathname !== path || request.headers.host !== authority) return refuse(response, 404)
      if (request.method !== 'GET') return refuse(response, 405)
      if (!isSame(url.searchParams.get('state') ?? '', state)) return refuse(response, 400)
      response.once('close', () => end(() => resolve(url.searchParams)))
      response.writeHead(200, headers).end(page)
    }
    const abort = () => end(() => reject(signal.reason))
    const timer = setTimeout(() => end(() => reject(tooLate(timeoutMs))), timeoutMs)
    server.on('request', take)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'",
  'referrer-policy': 'no-referrer',
  connection: 'close',
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close' }).end()
}

function tooLate(timeoutMs: number): WeirError {
  return new WeirError(
    'UPSTREAM_TIMEOUT',
    `Nobody came back within ${Math.round(timeoutMs / 1_000)} seconds.`,
    {
      hint: 'Run the command again. Open its address in a browser on this machine.',
      data: { timeoutMs },
    },
  )
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return expected !== '' && a.length === b.length && timingSafeEqual(a, b)
}
