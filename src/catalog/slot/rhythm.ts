import type { Disposable } from '../../core/catalog.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import { callAsync } from './open-within.ts'

/** What is done again and again, and how often. */
export interface RhythmOptions {
  readonly clock: Clock
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** The next pause at its longest; a quarter of it is left to chance. */
  readonly everyMs: () => number
  /** What takes longer is told to stop, and has failed. */
  readonly limitMs: number
  readonly work: (signal: AbortSignal) => Promise<void>
  /** Called after each time, with what went wrong. Must not throw. */
  readonly onEnd: (failure: unknown) => void
  /** Whether the first time comes at once, and not after a pause. */
  readonly isPrompt?: boolean
}

/** Does one thing again and again until disposed, never twice at once. */
export function startRhythm(options: RhythmOptions): Disposable {
  const rhythm = new Rhythm(options)
  if (options.isPrompt === true) rhythm.beat()
  else rhythm.schedule()
  return rhythm
}

class Rhythm implements Disposable {
  readonly #options: RhythmOptions
  #timer: Timer | undefined
  #running: AbortController | undefined
  /** Work that did not end when it was told to. It is not begun a second time beside itself. */
  #isStuck = false
  #isOver = false

  constructor(options: RhythmOptions) {
    this.#options = options
  }

  schedule(): void {
    if (this.#isOver) return
    const { clock, random, everyMs } = this.#options
    this.#timer = clock.setTimer(() => this.beat(), everyMs() * (0.75 + random() / 4))
  }

  dispose(): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#running?.abort(new WeirError('CANCELLED', 'The connection is gone.'))
  }

  beat(): void {
    const { clock, limitMs, work } = this.#options
    const late = new WeirError('UPSTREAM_TIMEOUT', `It did not answer within ${limitMs} ms.`)
    if (this.#isStuck) {
      this.#end(late)
      return
    }
    const running = new AbortController()
    this.#running = running
    this.#isStuck = true
    const end = (failure: unknown) => {
      timer.cancel()
      if (this.#running === running) this.#end(failure)
    }
    const timer = clock.setTimer(() => {
      running.abort(late)
      end(late)
    }, limitMs)
    const freed = () => {
      this.#isStuck = false
    }
    callAsync(() => work(running.signal))
      .finally(freed)
      .then(
        () => end(undefined),
        (thrown: unknown) => end(thrown ?? late),
      )
  }

  #end(failure: unknown): void {
    this.#running = undefined
    if (this.#isOver) return
    this.#options.onEnd(failure)
    this.schedule()
  }
}
