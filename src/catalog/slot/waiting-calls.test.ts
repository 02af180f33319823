import { describe, expect, it } from 'vitest'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { WaitingCalls } from './waiting-calls.ts'

function setUp() {
  const clock = createFakeClock()
  return { clock, waiting: new WaitingCalls('box', clock) }
}

const code = (promise: Promise<void>) =>
  promise.then(
    () => 'went on',
    (error: WeirError) => error.code,
  )

describe('waiting calls', () => {
  it('go on together, in their order', async () => {
    const { waiting } = setUp()
    const order: number[] = []
    const all = [1, 2, 3].map((n) => waiting.wait(new Cancellation()).then(() => order.push(n)))
    waiting.release()
    await Promise.all(all)
    expect(order).toEqual([1, 2, 3])
  })

  it('R12: leave when their own call is stopped, with its reason, and leave nothing behind', async () => {
    const { waiting, clock } = setUp()
    const cancellation = new Cancellation()
    const limit = { limitMs: 1_000, late: new WeirError('INTERNAL', 'late') }
    const [left, other] = [code(waiting.wait(cancellation, limit)), code(waiting.wait(new Cancellation()))]
    cancellation.cancel(new WeirError('DEADLINE_EXCEEDED', 'over'))
    expect(await left).toBe('DEADLINE_EXCEEDED')
    expect(clock.pendingMs).toEqual([])
    waiting.release()
    expect(await other).toBe('went on')
    expect(await code(waiting.wait(cancellation))).toBe('DEADLINE_EXCEEDED')
  })

  it('R3: have certainly not happened while they wait, and may have once they go on', async () => {
    const { waiting } = setUp()
    const cancellation = new Cancellation()
    cancellation.isDispatched = true
    const waited = waiting.wait(cancellation)
    expect(cancellation.isDispatched).toBe(false)
    waiting.release()
    await waited
    expect(cancellation.isDispatched).toBe(true)
  })

  it('wait no longer than their limit, where they have one', async () => {
    const { waiting, clock } = setUp()
    const late = new WeirError('UPSTREAM_UNREACHABLE', 'not sent')
    const waited = code(waiting.wait(new Cancellation(), { limitMs: 2_000, late }))
    await clock.advance(2_000)
    expect(await waited).toBe('UPSTREAM_UNREACHABLE')
  })

  it('are 1,000 at most: one more is refused as overload, and there is room again when one has left', async () => {
    const { waiting } = setUp()
    const first = new Cancellation()
    const all = [first, ...Array.from({ length: 999 }, () => new Cancellation())].map((stop) =>
      code(waiting.wait(stop)),
    )
    expect(await code(waiting.wait(new Cancellation()))).toBe('OVERLOADED')
    first.cancel(new WeirError('CANCELLED', 'left'))
    const next = code(waiting.wait(new Cancellation()))
    waiting.fail(new WeirError('CONNECTION_UNAVAILABLE', 'down'))
    expect(new Set(await Promise.all([...all.slice(1), next]))).toEqual(new Set(['CONNECTION_UNAVAILABLE']))
  })
})
