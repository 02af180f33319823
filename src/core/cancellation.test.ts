import { describe, expect, it, vi } from 'vitest'
import { Cancellation } from './cancellation.ts'
import { WeirError } from './error.ts'

const reason = new WeirError('CANCELLED', 'The client left.')

describe('a cancellation', () => {
  it('R12: tells its listeners once, at once, and its signal too', () => {
    const cancellation = new Cancellation()
    const listener = vi.fn()
    const handler = { handleEvent: vi.fn() }
    cancellation.addEventListener('abort', listener)
    cancellation.addEventListener('abort', handler)
    const { signal } = cancellation
    expect(cancellation.aborted).toBe(false)
    cancellation.cancel(reason)
    cancellation.cancel(new WeirError('INTERNAL', 'Too late.'))
    expect(listener).toHaveBeenCalledOnce()
    expect(handler.handleEvent).toHaveBeenCalledOnce()
    expect([cancellation.aborted, cancellation.reason]).toEqual([true, reason])
    expect([signal.aborted, signal.reason]).toEqual([true, reason])
  })

  it('gives a signal that is aborted already to whoever asks late', () => {
    const cancellation = new Cancellation()
    cancellation.cancel(reason)
    expect([cancellation.signal.aborted, cancellation.signal.reason]).toEqual([true, reason])
  })

  it('calls nobody back who left, or who came after the end', () => {
    const cancellation = new Cancellation()
    const left = vi.fn()
    const late = vi.fn()
    cancellation.addEventListener('abort', left)
    cancellation.removeEventListener('abort', left)
    cancellation.removeEventListener('abort', late)
    cancellation.cancel(reason)
    cancellation.addEventListener('abort', late)
    expect(left).not.toHaveBeenCalled()
    expect(late).not.toHaveBeenCalled()
  })

  it('lets no listener keep another from hearing', () => {
    const cancellation = new Cancellation()
    const second = vi.fn()
    cancellation.addEventListener('abort', () => {
      throw new Error('mine')
    })
    cancellation.addEventListener('abort', second)
    expect(() => cancellation.cancel(reason)).not.toThrow()
    expect(second).toHaveBeenCalledOnce()
  })

  it('moves its deadline forward only', () => {
    const cancellation = new Cancellation()
    expect(cancellation.deadlineMs).toBe(Number.POSITIVE_INFINITY)
    cancellation.tightenDeadline(100)
    cancellation.tightenDeadline(200)
    expect(cancellation.deadlineMs).toBe(100)
  })
})

describe('a deadline that stands still', () => {
  it('leaves as much time after the pause as before it, however often it is asked for', () => {
    const cancellation = new Cancellation()
    cancellation.tightenDeadline(1_000)
    expect([cancellation.leftMs(400), cancellation.isPaused]).toEqual([600, false])
    cancellation.pauseDeadline(400)
    cancellation.pauseDeadline(700)
    expect([cancellation.leftMs(90_000), cancellation.isPaused]).toEqual([600, true])
    cancellation.resumeDeadline(90_000)
    cancellation.resumeDeadline(95_000)
    expect([cancellation.leftMs(90_000), cancellation.deadlineMs, cancellation.isPaused]).toEqual([
      600,
      90_600,
      false,
    ])
  })
})
