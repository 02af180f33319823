import { describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Result } from '../../core/outcome.ts'
import { call, createConnection, createSupply, createTool, setUpSlot } from '../connection.fixture.ts'

/** A connection whose checks a test decides, and counts. */
async function setUpChecked(more: Partial<Connection> = {}) {
  const checks = { count: 0, failing: undefined as Error | undefined, hangs: false, aborts: 0, end() {} }
  const check = (signal: AbortSignal) => {
    checks.count += 1
    signal.addEventListener('abort', () => {
      checks.aborts += 1
    })
    if (checks.hangs)
      return new Promise<void>((resolve) => {
        checks.end = resolve
      })
    return checks.failing === undefined ? Promise.resolve() : Promise.reject(checks.failing)
  }
  const { made, open } = createSupply(() => createConnection([createTool('one')], { check, ...more }))
  const all = setUpSlot(open)
  await all.clock.advance(0)
  return { ...all, made, checks }
}

describe('health', () => {
  it('D4-016: is asked for every 30 s, and not where a call has shown it', async () => {
    const { clock, slot, checks } = await setUpChecked()
    await clock.advance(29_999)
    expect(checks.count).toBe(0)
    await clock.advance(1)
    expect(checks.count).toBe(1)
    await clock.advance(15_000)
    call(slot.entries[0])
    await clock.advance(15_000)
    expect(checks.count).toBe(1)
    await clock.advance(30_000)
    expect(checks.count).toBe(2)
  })

  it('is asked for at moments that differ by a quarter', async () => {
    const draws = [0]
    const made = createConnection([])
    let checks = 0
    made.check = async () => {
      checks += 1
    }
    const { clock } = setUpSlot(
      async () => made,
      () => draws.shift() ?? 1,
    )
    await clock.advance(22_500)
    expect(checks).toBe(1)
    await clock.advance(29_999)
    expect(checks).toBe(1)
  })

  it('D4-016: is down after two failures in a row, with the cause in status and log, and up with the next success', async () => {
    const { clock, slot, checks, lines } = await setUpChecked()
    checks.failing = new WeirError('UPSTREAM_TIMEOUT', 'silent')
    await clock.advance(30_000)
    expect(slot.status.state).toBe('up')
    await clock.advance(5_000)
    expect(slot.status).toMatchObject({ state: 'down', cause: 'silent', tools: 1 })
    expect(lines.at(-1)).toMatchObject({ event: 'connection.down', cause: 'silent' })
    checks.failing = undefined
    await clock.advance(5_000)
    expect(slot.status).not.toHaveProperty('cause')
    expect(slot.status.state).toBe('up')
  })

  it('is shown by one failure between successes to be no worse than it was', async () => {
    const { clock, slot, checks } = await setUpChecked()
    for (let round = 0; round < 5; round += 1) {
      checks.failing = new Error('once')
      await clock.advance(30_000)
      checks.failing = undefined
      await clock.advance(5_000)
      expect(slot.status.state).toBe('up')
    }
  })

  it('is not waited for longer than 10 s, and never asked for twice at once', async () => {
    const { clock, slot, checks } = await setUpChecked()
    checks.hangs = true
    await clock.advance(39_999)
    expect(checks.aborts).toBe(0)
    await clock.advance(1)
    expect(checks.aborts).toBe(1)
    await clock.advance(5_000)
    expect([checks.count, slot.status.state]).toEqual([1, 'down'])
    expect(slot.status.cause).toBe('It did not answer within 10000 ms.')
    checks.hangs = false
    checks.end()
    await clock.advance(5_000)
    expect(slot.status.state).toBe('up')
    checks.count = 0
    await clock.advance(90_000)
    expect(checks.count).toBe(3)
  })

  it('R4: lost for three checks with no call under way has the connection closed and opened again', async () => {
    const { clock, slot, checks, made, attemptsMs } = await setUpChecked()
    call(slot.entries[0])
    await clock.advance(30_000)
    checks.failing = new Error('stuck')
    await clock.advance(39_999)
    expect([slot.status.state, made[0]?.closes]).toEqual(['down', 0])
    await clock.advance(1)
    expect([slot.status.state, made[0]?.closes, attemptsMs]).toEqual(['up', 1, [0, 70_000]])
  })

  it('lost while a call is under way leaves that call its connection', async () => {
    let finish = () => {}
    const run = () =>
      new Promise<Result>((resolve) => {
        finish = () => resolve({})
      })
    const connection = createConnection([createTool('one', { run })])
    connection.check = () => Promise.reject(new Error('busy'))
    const { clock, slot, attemptsMs } = setUpSlot(async () => connection)
    await clock.advance(0)
    const called = call(slot.entries[0])
    await clock.advance(60_000)
    expect([slot.status.state, connection.closes]).toEqual(['down', 0])
    finish()
    await clock.advance(5_000)
    expect([called.result, slot.status.state]).toEqual([{}, 'up'])
    await clock.advance(40_000)
    expect(attemptsMs).toHaveLength(2)
  })

  it('lost leaves a connection that cannot die as it is: it heals by itself', async () => {
    const { onClose: _, ...immortal } = createConnection([createTool('one')])
    let failing: Error | undefined = new Error('unreachable')
    immortal.check = () => (failing === undefined ? Promise.resolve() : Promise.reject(failing))
    const { clock, slot, attemptsMs } = setUpSlot(async () => immortal)
    await clock.advance(120_000)
    expect([slot.status.state, attemptsMs.length]).toEqual(['down', 1])
    failing = undefined
    await clock.advance(5_000)
    expect(slot.status.state).toBe('up')
  })

  it('R24: is asked for no more once the connection is gone, or Weir stops', async () => {
    const { clock, slot, checks } = await setUpChecked()
    checks.hangs = true
    await clock.advance(30_000)
    await slot.close()
    await clock.advance(600_000)
    expect([checks.count, checks.aborts, clock.pendingMs]).toEqual([1, 1, []])
  })
})

describe('discovery', () => {
  it('D4-030: reads every 300 s what a connection offers, and B-131: takes what vanished or changed at its word', async () => {
    let reads = 0
    const { clock, slot, made } = await setUpChecked({
      async refresh() {
        reads += 1
        if (reads === 2) throw new Error('not now')
        made[0]?.offer([createTool('two', { effect: reads > 2 ? 'write' : 'read' })])
      },
    })
    await clock.advance(299_999)
    expect(reads).toBe(0)
    await clock.advance(1)
    expect(slot.entries.map(({ id }) => id)).toEqual(['box:two'])
    const [before] = slot.entries
    await clock.advance(300_000)
    expect([reads, slot.status.state, slot.entries[0] === before]).toEqual([2, 'up', true])
    await clock.advance(300_000)
    expect([reads, slot.entries[0] === before]).toEqual([3, false])
  })

  it('D4-030: waits 10 s for a reading, which hinders nothing else', async () => {
    let aborted: unknown
    const { clock, slot } = await setUpChecked({
      refresh: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = signal.reason
            reject(signal.reason)
          })
        }),
    })
    await clock.advance(310_000)
    expect(aborted).toMatchObject({ code: 'UPSTREAM_TIMEOUT' })
    expect(slot.status.state).toBe('up')
  })
})
