import { expect, it } from 'vitest'
import { WeirError } from '../../../core/error.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { type Session, SessionPool } from './session-pool.ts'

class FakeSession implements Session {
  isUsable = true
  ended = false
  #listener = () => {}

  onBreak(listener: () => void): void {
    this.#listener = listener
  }

  breakOff(): void {
    this.isUsable = false
    this.#listener()
  }

  async end(): Promise<void> {
    this.isUsable = false
    this.ended = true
  }
}

function createPool(
  options: { min?: number; max?: number; idleMs?: number; open?: () => Promise<FakeSession> } = {},
) {
  const clock = createFakeClock()
  const sessions: FakeSession[] = []
  const open = async () => {
    const session = new FakeSession()
    sessions.push(session)
    return session
  }
  const pool = new SessionPool({ alias: 'main', min: 2, max: 4, idleMs: 300_000, clock, open, ...options })
  return { pool, clock, sessions }
}

const patience = () => ({ signal: new AbortController().signal, deadlineMs: Number.POSITIVE_INFINITY })
const tick = () => new Promise((resolve) => setImmediate(resolve))

it('B-02: lends a session to one caller at a time, and never opens more than `max`', async () => {
  const { pool, sessions } = createPool()
  const lent = new Set<FakeSession>()
  let most = 0
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const session = await pool.acquire(patience())
      expect(lent.has(session)).toBe(false)
      lent.add(session)
      most = Math.max(most, lent.size)
      if (index % 3 === 0) await tick()
      lent.delete(session)
      if (index % 10 === 9) session.breakOff()
      pool.release(session)
    }),
  )
  expect(most).toBe(4)
  expect(sessions.filter(({ ended }) => !ended).length).toBeLessThanOrEqual(4)
})

it('opens nothing before somebody asks, and the oldest caller is served first', async () => {
  const { pool, sessions } = createPool({ max: 1 })
  expect(sessions).toEqual([])
  const first = await pool.acquire(patience())
  const order: number[] = []
  const others = [1, 2, 3].map(async (number) => {
    const session = await pool.acquire(patience())
    order.push(number)
    pool.release(session)
  })
  pool.release(first)
  await Promise.all(others)
  expect(order).toEqual([1, 2, 3])
})

it('OVERLOADED: 256 callers wait, and one more does not', async () => {
  const { pool } = createPool({ max: 1 })
  const first = await pool.acquire(patience())
  const waiting = Array.from({ length: 256 }, () => pool.acquire(patience()) as Promise<FakeSession>)
  await expect(pool.acquire(patience())).rejects.toMatchObject({ code: 'OVERLOADED', data: { sent: false } })
  const served = Promise.all(waiting.map(async (each) => pool.release(await each)))
  pool.release(first)
  await served
})

it('a wait ends with the caller’s deadline, or with its reason when it leaves', async () => {
  const { pool } = createPool({ max: 1 })
  const first = await pool.acquire(patience())
  const late = { ...patience(), deadlineMs: performance.now() + 30 }
  await expect(pool.acquire(late)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  const controller = new AbortController()
  const reason = new WeirError('CANCELLED', 'The caller left.')
  const left = pool.acquire({ ...patience(), signal: controller.signal })
  controller.abort(reason)
  await expect(left).rejects.toBe(reason)
  const gone = pool.acquire({ ...patience(), signal: AbortSignal.abort(reason) })
  await expect(gone).rejects.toBe(reason)
  expect(pool.state.waiting).toBe(0)
  pool.release(first)
})

it('D1-013: a session that was used 50,000 times is replaced', async () => {
  const { pool, sessions } = createPool({ max: 1 })
  for (let use = 0; use < 50_001; use++) pool.release(await pool.acquire(patience()))
  expect(sessions.map(({ ended }) => ended)).toEqual([true, false])
})

it('D1-013, D3-112, C-09: sessions beyond the size are ended once they were idle for long, and `min` stay', async () => {
  const { pool, clock, sessions } = createPool({ min: 2, max: 8, idleMs: 300_000 })
  const all = await Promise.all(Array.from({ length: 8 }, () => pool.acquire(patience())))
  await clock.advance(60_000)
  expect(pool.state).toMatchObject({ open: 8, used: 8, size: 3 })
  for (const session of all) pool.release(session)
  await clock.advance(60_000)
  expect(pool.state).toMatchObject({ open: 8, used: 0, size: 5 })
  await clock.advance(600_000)
  expect(pool.state).toMatchObject({ open: 2, used: 0, size: 2 })
  expect(sessions.filter(({ ended }) => ended).length).toBe(6)
  await pool.close()
  expect(clock.pendingMs).toEqual([])
})

it('a session that breaks while it is idle leaves unseen, and its place is free again', async () => {
  const { pool, sessions } = createPool({ max: 1 })
  pool.release(await pool.acquire(patience()))
  sessions[0]!.breakOff()
  const next = await pool.acquire(patience())
  expect(next).toBe(sessions[1])
  expect(next.isUsable).toBe(true)
})

it('a login that fails fails the caller who waited longest, and the next one tries again', async () => {
  let down = true
  const { pool } = createPool({
    max: 1,
    open: async () => {
      if (down) throw new WeirError('DATABASE_UNAVAILABLE', 'Down.')
      return new FakeSession()
    },
  })
  await expect(pool.acquire(patience())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  down = false
  expect((await pool.acquire(patience())).isUsable).toBe(true)
})

it('close() refuses who waits, ends every session, and is safe twice', async () => {
  const { pool, sessions } = createPool({ max: 2 })
  await Promise.all([pool.acquire(patience()), pool.acquire(patience())])
  const waiting = expect(pool.acquire(patience())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  await pool.close()
  await pool.close()
  await waiting
  expect(sessions.every(({ ended }) => ended)).toBe(true)
  expect(() => pool.acquire(patience())).toThrow(expect.objectContaining({ code: 'DATABASE_UNAVAILABLE' }))
})
