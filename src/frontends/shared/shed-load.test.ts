import { Agent, request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { embedWeir, type Weir } from '../../app.ts'
import { type Connector, defineConnector } from '../../core/connector.ts'
import { jsonSchema } from '../../core/schema.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createLoadShedding } from './shed-load.ts'

describe('R11: the refusal of load', () => {
  it('comes with as many calls as there may be, and goes with the first that ends', () => {
    const load = { calls: 9 }
    const shedding = createLoadShedding({
      clock: createFakeClock(),
      callsInFlight: () => load.calls,
      callsMax: 10,
    })
    expect(shedding.refuse()).toBeUndefined()
    load.calls = 10
    expect(shedding.refuse()).toMatchObject({ code: 'OVERLOADED', data: { retryAfterMs: 1_000 } })
    load.calls = 9
    expect(shedding.refuse()).toBeUndefined()
  })

  it('comes where the event loop is late four times in a row, and goes when it is not', async () => {
    const clock = createFakeClock()
    let lateMs = 0
    const slow = { ...clock, monotonicMs: () => clock.monotonicMs() + lateMs }
    let calls = 16
    const shedding = createLoadShedding({ clock: slow, callsInFlight: () => calls, callsMax: 100 })
    const turn = async (byMs: number) => {
      lateMs += byMs
      await clock.advance(100)
      return shedding.refuse()?.code
    }
    const turns = async (...lates: number[]) => {
      let code: string | undefined
      for (const late of lates) code = await turn(late)
      return code
    }
    expect(await turns(500, 500, 500, 0, 500, 500, 500)).toBeUndefined()
    expect(await turns(0, 499, 499, 499, 499)).toBeUndefined()
    expect(await turns(500, 500, 500, 500)).toBe('OVERLOADED')
    // With so few calls it is somebody else who keeps the machine busy.
    calls = 15
    expect(await turn(500)).toBeUndefined()
    calls = 16
    expect(await turn(500)).toBe('OVERLOADED')
    expect(await turn(0)).toBeUndefined()
    shedding.close()
    expect(clock.pendingMs).toEqual([])
  })
})

const toolMs = 100
const callsMax = 20

/** A tool that takes a while and nothing else. */
const connector: Connector = defineConnector({
  type: 'slow',
  summary: 'Takes a while.',
  config: z.strictObject({}),
  open: async () => ({
    targets: () => [
      {
        kind: 'tool',
        name: 'wait',
        description: 'Waits.',
        effect: 'read',
        input: jsonSchema({ type: 'object' }),
        run: () => new Promise((resolve) => setTimeout(resolve, toolMs, {})),
      },
    ],
    check: async () => {},
    close: async () => {},
  }),
}) as Connector

describe('R11: under three times the load that it bears', () => {
  let weir: Weir
  afterEach(() => weir.close(0))

  const start = async () => {
    const config = {
      connections: { box: { type: 'slow' } },
      server: { port: 0, callsMax },
      log: { level: 'silent' },
    }
    weir = embedWeir({ connectors: [connector], config })
    const { url } = await weir.listen()
    await weir.catalog.settled(5_000)
    return url
  }
  const agent = new Agent({ keepAlive: true })
  const post = (url: string, body: object, read = (_headers: NodeJS.Dict<unknown>): void => {}) => {
    const startMs = performance.now()
    return new Promise<{ status: number; ms: number; text: string }>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' }
      const sent = request(url, { method: 'POST', agent, headers }, (response) => {
        read(response.headers)
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () =>
          resolve({ status: response.statusCode!, ms: performance.now() - startMs, text }),
        )
      })
      sent.on('error', reject).end(JSON.stringify(body))
    })
  }
  /** How long a request takes that asks for nothing: what the machine itself costs at this moment. */
  const ask = async (url: string) => {
    const startMs = performance.now()
    await (await fetch(`${url}/livez`)).text()
    return performance.now() - startMs
  }
  /** An open loop: requests begin when their time has come, however many are still unanswered. */
  const offer = async (url: string, perSecond: number, seconds: number) => {
    const answers: ReturnType<typeof post>[] = []
    const asked: Promise<number>[] = []
    const startMs = performance.now()
    const wanted = perSecond * seconds
    while (answers.length < wanted) {
      const due = Math.min(wanted, ((performance.now() - startMs) / 1_000) * perSecond)
      while (answers.length < due)
        answers.push(post(`${url}/mcp/execute`, { tools: [{ tool_slug: 'box:wait' }] }))
      if (asked.length < (answers.length / wanted) * 100) asked.push(ask(url))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const all = await Promise.all(answers)
    const tookSeconds = (performance.now() - startMs) / 1_000
    const refused = all.filter(({ status }) => status === 503).map(({ ms }) => ms)
    return {
      goodput: all.filter(({ status }) => status === 200).length / tookSeconds,
      refused: refused.sort((a, b) => a - b),
      slowestAskMs: Math.max(...(await Promise.all(asked))),
      others: all.filter(({ status }) => status !== 200 && status !== 503),
    }
  }

  it('it answers at least 80 % of what it does at its best, and refuses the rest quickly', async () => {
    const url = await start()
    const peak = callsMax / (toolMs / 1_000)
    await offer(url, peak, 0.5)
    const best = await offer(url, peak * 0.95, 2)
    const overloaded = await offer(url, peak * 3, 3)
    // Enough for the two to be compared, however much else the machine does.
    expect(best.goodput).toBeGreaterThan(peak * 0.3)
    expect(overloaded.others).toEqual([])
    expect(overloaded.goodput).toBeGreaterThanOrEqual(best.goodput * 0.8)
    expect(overloaded.refused.length).toBeGreaterThan(peak)
    // The generator shares the process, so its own bursts make the tail; refusals that waited for a tool would take 100 ms.
    const medianMs = overloaded.refused[Math.floor(overloaded.refused.length / 2)]!
    expect(medianMs).toBeLessThan(50 + overloaded.slowestAskMs)
  }, 20_000)

  it('it says when to come back, in the words of each dialect, and tells still how it is', async () => {
    const url = await start()
    const running = Array.from({ length: callsMax }, () =>
      post(`${url}/mcp/execute`, { tools: [{ tool_slug: 'box:wait' }] }),
    )
    await expect.poll(async () => (await post(`${url}/mcp/execute`, { tools: [] })).status).toBe(503)
    let retryAfter: unknown
    const read = (headers: NodeJS.Dict<unknown>) => {
      retryAfter = headers['retry-after']
    }
    const rest = await post(`${url}/mcp/execute`, {}, read)
    expect([rest.status, retryAfter, JSON.parse(rest.text)]).toMatchObject([
      503,
      '1',
      { successful: false, error_detail: { code: 'OVERLOADED', retryable: true } },
    ])
    const mcp = await post(`${url}/mcp`, { jsonrpc: '2.0', id: 1, method: 'ping' }, read)
    expect([mcp.status, retryAfter, JSON.parse(mcp.text)]).toMatchObject([
      503,
      '1',
      { error: { data: { weirCode: 'OVERLOADED' } } },
    ])
    expect((await fetch(`${url}/health`)).status).toBe(200)
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual(running.map(() => 200))
  })
})
