import { describe, expect, it } from 'vitest'
import { Cancellation } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { Absence } from './absence.ts'

const unreachable = (cause: string, sent = false, origin = 'http://a') =>
  new WeirError('UPSTREAM_UNREACHABLE', 'No connection.', { data: { origin, cause, sent } })
const refused = unreachable('ECONNREFUSED')

/** A server that answered once, and that a test brings back. */
function setUp(hasAnswered = true) {
  const clock = createFakeClock()
  const server = { isBack: false, probesMs: [] as number[] }
  const probe = async () => {
    server.probesMs.push(clock.monotonicMs())
    return server.isBack
  }
  const absence = new Absence({ origin: 'http://a', probe, clock, random: () => 1 })
  if (hasAnswered) absence.answered()
  const wait = (failure: unknown = refused, stop = new Cancellation(), isQuestion = false) => {
    const waited: { ended?: unknown; readonly stop: Cancellation } = { stop }
    absence.outlast(failure, stop, isQuestion).then(
      () => {
        waited.ended = 'again'
      },
      (error: unknown) => {
        waited.ended = error
      },
    )
    return waited
  }
  return { clock, server, absence, wait }
}

describe('a server that is away', () => {
  it('R7: is looked for by one, after pauses that double up to 2 s, and all who wait go on when it is back', async () => {
    const { clock, server, wait } = setUp()
    const all = Array.from({ length: 50 }, () => wait())
    await clock.advance(9_000)
    expect(server.probesMs).toEqual([100, 300, 700, 1_500, 3_100, 5_100, 7_100])
    server.isBack = true
    await clock.advance(100)
    expect(new Set(all.map(({ ended }) => ended))).toEqual(new Set(['again']))
    await clock.advance(60_000)
    expect([server.probesMs.length, clock.pendingMs]).toEqual([8, []])
  })

  it('R7: is back as soon as anything is answered', async () => {
    const { clock, server, absence, wait } = setUp()
    const waited = wait()
    await clock.advance(50)
    absence.answered()
    await clock.advance(0)
    expect(waited.ended).toBe('again')
    await clock.advance(10_000)
    expect(server.probesMs).toEqual([])
  })

  it('R12: is waited for until the call’s own deadline', async () => {
    const { clock, wait } = setUp()
    const [waited, other] = [wait(), wait()]
    await clock.advance(1_000)
    const reason = new WeirError('DEADLINE_EXCEEDED', 'over')
    waited.stop.cancel(reason)
    await clock.advance(0)
    expect([waited.ended, other.ended]).toEqual([reason, undefined])
  })

  it('R7: is waited for no longer than 30 s; then calls fail at once, and it is looked for all the same', async () => {
    const { clock, server, absence, wait } = setUp()
    const [early, late] = [wait(), wait()]
    await clock.advance(29_000)
    expect(early.ended).toBeUndefined()
    expect(() => absence.refuse()).not.toThrow()
    await clock.advance(3_000)
    const afterwards = wait(unreachable('ECONNRESET'))
    await clock.advance(0)
    expect([early.ended, late.ended]).toEqual([refused, refused])
    expect(afterwards.ended).toMatchObject({ data: { cause: 'ECONNRESET' } })
    expect(() => absence.refuse()).toThrow(refused)
    await clock.advance(60_000)
    server.isBack = true
    await clock.advance(2_000)
    expect(() => absence.refuse()).not.toThrow()
    expect(clock.pendingMs).toEqual([])
  })

  it('is told to who only asks after 3 s', async () => {
    const { clock, wait } = setUp()
    const asked = wait(refused, new Cancellation(), true)
    await clock.advance(2_999)
    expect(asked.ended).toBeUndefined()
    await clock.advance(1)
    expect(asked.ended).toBe(refused)
  })

  it('is waited for by 1,000 at most; one more is refused as overload', async () => {
    const { clock, wait } = setUp()
    const all = Array.from({ length: 1_000 }, () => wait())
    const more = wait()
    await clock.advance(0)
    expect(more.ended).toMatchObject({ code: 'OVERLOADED', data: { sent: false } })
    all[0]?.stop.cancel(new WeirError('CANCELLED', 'left'))
    await clock.advance(0)
    const next = wait()
    await clock.advance(0)
    expect(next.ended).toBeUndefined()
  })

  it('R24: is looked for no more once the connection is closed', async () => {
    const { clock, server, absence, wait } = setUp()
    const waited = wait()
    await clock.advance(500)
    absence.close()
    absence.close()
    await clock.advance(60_000)
    expect(waited.ended).toMatchObject({ code: 'CONNECTION_UNAVAILABLE' })
    expect([server.probesMs, clock.pendingMs]).toEqual([[100, 300], []])
    const after = wait()
    await clock.advance(0)
    expect(after.ended).toBe(refused)
  })
})

describe('a failure', () => {
  it.each([
    ['a request that may have been sent', unreachable('ECONNRESET', true)],
    ['a wrong certificate', unreachable('CERT_HAS_EXPIRED')],
    ['another server, of which a credential was asked', unreachable('ECONNREFUSED', false, 'http://b')],
    ['a full queue', new WeirError('OVERLOADED', 'full', { data: { sent: false } })],
    ['anything else', new Error('x')],
  ])('R3: of %s is not waited out', async (_, failure) => {
    const { clock, server, wait } = setUp()
    const waited = wait(failure)
    await clock.advance(0)
    expect(waited.ended).toBe(failure)
    await clock.advance(5_000)
    expect(server.probesMs).toEqual([])
  })

  it('of a server that never answered is not waited out: it may not be there at all', async () => {
    const { clock, wait } = setUp(false)
    const waited = wait()
    await clock.advance(0)
    expect(waited.ended).toBe(refused)
  })
})
