import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createConnection, createTool } from '../../catalog/connection.fixture.ts'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { RunContext } from '../../core/tool.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { openUpstream } from './fixtures/upstream.fixture.ts'
import { IsolatedConnection } from './isolated-connection.ts'

const caller = (subject: string): Partial<RunContext> => ({ caller: { subject, tenant: 'test' } })
const server = (...args: string[]) => ({
  command: process.execPath,
  args: [join(import.meta.dirname, 'fixtures/raw-stdio.fixture.ts'), ...args],
  isolation: 'caller',
})
const pidOf = (result: unknown) => JSON.stringify(result)

describe('isolation: caller', () => {
  it('S5: gives each caller a process of its own, and the same one each time', async () => {
    const upstream = await openUpstream({ ...server(), era: 'legacy' })
    try {
      const who = async (subject: string) => pidOf(await upstream.call('who', {}, caller(subject)))
      const [ada, bob, adaAgain] = [await who('ada'), await who('bob'), await who('ada')]
      expect(adaAgain).toBe(ada)
      expect(bob).not.toBe(ada)
    } finally {
      await upstream.close()
    }
  })

  it('S5: gives two first calls of one caller one process', async () => {
    const upstream = await openUpstream({ ...server(), era: 'legacy' })
    try {
      const whos = await Promise.all([1, 2, 3].map(() => upstream.call('who', {}, caller('ada'))))
      expect(new Set(whos.map(pidOf)).size).toBe(1)
    } finally {
      await upstream.close()
    }
  })
})

describe('callers’ own connections', () => {
  const setUp = (callersMax: number) => {
    const clock = createFakeClock()
    const opened: ReturnType<typeof createConnection>[] = []
    const shared = createConnection([createTool('run')])
    const open = async (): Promise<Connection> => {
      const connection = createConnection([createTool('run')])
      opened.push(connection)
      return connection
    }
    const isolated = new IsolatedConnection({ shared, open, clock, callersMax })
    const call = (subject: string) => {
      const [target] = isolated.targets()
      const stop = new AbortController().signal
      return (target as ReturnType<typeof createTool>).run({}, {
        ...caller(subject),
        stop,
        signal: stop,
      } as RunContext)
    }
    return { clock, opened, shared, isolated, call }
  }

  it('are bounded: the longest idle one makes room', async () => {
    const { call, opened, clock } = setUp(2)
    await call('ada')
    await clock.advance(1)
    await call('bob')
    await clock.advance(1)
    await call('ada')
    await call('eve')
    await clock.advance(0)
    expect(opened.map(({ closes }) => closes)).toEqual([0, 1, 0])
  })

  it('are closed when idle for ten minutes', async () => {
    const { call, opened, clock } = setUp(2)
    await call('ada')
    await clock.advance(9 * 60_000)
    expect(opened[0]?.closes).toBe(0)
    await clock.advance(2 * 60_000)
    expect(opened[0]?.closes).toBe(1)
  })

  it('are opened anew after their death', async () => {
    const { call, opened, clock } = setUp(2)
    await call('ada')
    opened[0]?.die(new Error('gone'))
    await clock.advance(0)
    await call('ada')
    expect(opened.length).toBe(2)
  })

  it('R3: that are found dead by a call, which they did not send, leave it to a new one, once', async () => {
    const unsent = new WeirError('CONNECTION_UNAVAILABLE', 'It is gone.', { data: { sent: false } })
    const opened: ReturnType<typeof createConnection>[] = []
    let dead = 1
    const open = async () => {
      const run = async () => {
        if (opened.length <= dead) throw unsent
        return {}
      }
      const connection = createConnection([createTool('run', { run })])
      opened.push(connection)
      return connection
    }
    const shared = createConnection([createTool('run')])
    const isolated = new IsolatedConnection({ shared, open, clock: createFakeClock(), callersMax: 2 })
    const stop = new AbortController().signal
    const call = (subject: string) =>
      (isolated.targets()[0] as ReturnType<typeof createTool>).run({}, {
        ...{ ...caller(subject), stop, signal: stop },
      } as RunContext)
    expect(await call('ada')).toEqual({})
    expect(opened.map(({ closes }) => closes)).toEqual([1, 0])
    dead = 9
    await expect(call('bob')).rejects.toBe(unsent)
    expect(opened).toHaveLength(4)
  })

  it('close with the whole', async () => {
    const { call, opened, shared, isolated } = setUp(2)
    await call('ada')
    await isolated.close()
    expect([opened[0]?.closes, shared.closes]).toEqual([1, 1])
    await expect(call('bob')).rejects.toMatchObject({ code: 'CONNECTION_UNAVAILABLE' })
  })

  it('refuse one more caller where all are busy', async () => {
    const { clock } = setUp(1)
    const busy = { ...createTool('run'), run: () => new Promise<never>(() => {}) }
    const isolated = new IsolatedConnection({
      shared: createConnection([busy]),
      open: async () => createConnection([busy]),
      clock,
      callersMax: 1,
    })
    const call = (subject: string) => {
      const stop = new AbortController().signal
      return (isolated.targets()[0] as typeof busy).run.call(
        undefined,
        ...([{}, { ...caller(subject), stop, signal: stop }] as unknown as []),
      )
    }
    void call('ada')
    await expect(call('bob')).rejects.toMatchObject({ code: 'OVERLOADED' })
  })
})
