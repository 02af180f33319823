import { Client } from 'undici'
import type { LatencyJob, LatencyResult } from './latency.ts'
import { median } from './median.ts'
import type { VerifiedRequest } from './verified-request.ts'
import { answerJobs } from './worker.ts'

/** Requests to one target before the other has its turn: short against any drift of the machine. */
const blockRequests = 100

class Probe {
  readonly timesMs: number[] = []
  readonly #request: VerifiedRequest
  readonly #path: string
  readonly #client: Client

  constructor(request: VerifiedRequest) {
    this.#request = request
    this.#path = new URL(request.url).pathname
    this.#client = new Client(new URL(request.url).origin, { pipelining: 1 })
  }

  async runBlock(): Promise<void> {
    for (let i = 0; i < blockRequests; i++) this.timesMs.push(await this.#time())
  }

  async #time(): Promise<number> {
    const { headers, body, answer, url } = this.#request
    const startedNs = process.hrtime.bigint()
    const response = await this.#client.request({ method: 'POST', path: this.#path, headers, body })
    const text = await response.body.text()
    const elapsedMs = Number(process.hrtime.bigint() - startedNs) / 1e6
    if (response.statusCode !== 200 || text !== answer) {
      throw new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 500)}`)
    }
    return elapsedMs
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

answerJobs<LatencyJob, LatencyResult>(async ({ requests, seconds }) => {
  const probes = requests.map((request) => new Probe(request))
  const endMs = performance.now() + seconds * 1000
  while (performance.now() < endMs) {
    for (const probe of probes) await probe.runBlock()
  }
  await Promise.all(probes.map((probe) => probe.close()))
  return probes.map(({ timesMs }) => median(timesMs))
})
