import { once } from 'node:events'
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Place, type Running } from '../../src/cli/spawn-weir.fixture.ts'

const rounds = process.env['WEIR_TEST_LONG'] === '1' ? 10 : 2
const callsPerSecond = 50

/** One Weir behind the proxy, on a port that stays the same. */
interface Backend {
  readonly place: Place
  readonly port: number
  running: Running
  isReady: boolean
}

/** A balancer as there are many: asks /readyz every 100 ms, and sends each call to one that said yes the last time. */
class Balancer implements AsyncDisposable {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server: Server
  readonly #probing: NodeJS.Timeout
  #turn = 0

  constructor(backends: readonly Backend[]) {
    this.#probing = setInterval(() => {
      for (const backend of backends) {
        const probe = request({ port: backend.port, path: '/readyz', agent: false }, (response) => {
          backend.isReady = response.statusCode === 200
          response.resume()
        })
        probe.on('error', () => {
          backend.isReady = false
        })
        probe.end()
      }
    }, 100)
    this.#server = createServer((incoming, outgoing) => {
      const ready = backends.filter(({ isReady }) => isReady)
      this.#turn += 1
      const { port } = ready[this.#turn % ready.length] ?? { port: 1 }
      const { method, url: path, headers } = incoming
      const forward = request({ port, method, path, headers, agent: this.#agent }, (response) => {
        outgoing.writeHead(response.statusCode!, response.headers)
        response.pipe(outgoing)
      })
      forward.on('error', (cause) => outgoing.writeHead(502).end(`${port}: ${cause.message}`))
      incoming.pipe(forward)
    }).listen(0, '127.0.0.1')
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#probing)
    this.#agent.destroy()
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

describe('R13: two Weirs behind a balancer', () => {
  const start = async (): Promise<Backend> => {
    const place = new Place(configuration)
    const running = await place.serve('start')
    return { place, port: Number(running.port), running, isReady: false }
  }
  const restart = async (backend: Backend) => {
    const ended = await backend.running.stop('SIGTERM')
    expect(ended).toMatchObject({ code: 0, signal: null })
    backend.running = backend.place.start(['start', '--port', `${backend.port}`, '--json'])
    await backend.running.says('stdout', /"event":"listening"/)
    await expect.poll(() => backend.isReady, { timeout: 10_000 }).toBe(true)
  }
  let configuration = {}

  it(`restarted in turn, ${rounds} times each, under ${callsPerSecond} calls a second: no call fails`, {
    timeout: 30_000 + rounds * 20_000,
  }, async () => {
    // Slow enough for calls to be under way at every moment.
    const api = createServer((_request, response) => setTimeout(() => response.end('{}'), 100))
    api.listen(0, '127.0.0.1')
    await once(api, 'listening')
    const baseUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
    configuration = {
      log: { level: 'error' },
      connections: { api: { type: 'http', apis: { slow: { baseUrl, allowPrivate: true } } } },
    }
    const backends = await Promise.all([start(), start()])
    await using balancer = new Balancer(backends)
    await expect.poll(() => backends.every(({ isReady }) => isReady), { timeout: 10_000 }).toBe(true)

    const failures: string[] = []
    const calls = new Set<Promise<void>>()
    const call = async () => {
      const body = JSON.stringify({
        tools: [{ tool_slug: 'api:http_request', arguments: { api_name: 'slow', method: 'GET', url: '/' } }],
      })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${balancer.url}/mcp/execute`, { method: 'POST', headers, body })
      const text = await answer.text()
      if (answer.status !== 200 || !text.includes('"successful":true'))
        failures.push(`${answer.status} ${text}`)
    }
    let count = 0
    const load = setInterval(() => {
      count += 1
      const made = call()
        .catch((thrown: unknown) => void failures.push(String(thrown)))
        .finally(() => calls.delete(made))
      calls.add(made)
    }, 1_000 / callsPerSecond)
    for (let round = 0; round < rounds; round += 1) for (const backend of backends) await restart(backend)
    await wait(300)
    clearInterval(load)
    await Promise.all(calls)
    expect(failures).toEqual([])
    expect(count).toBeGreaterThan(rounds * 20)
    for (const { place } of backends) await place[Symbol.asyncDispose]()
    api.close()
    api.closeAllConnections()
  })
})
