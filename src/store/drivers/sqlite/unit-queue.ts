import type { Clock, Timer } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import { explainFailure } from './failure.ts'
import type { Answer, StatementResult, Unit } from './protocol.ts'

/** What waits and what is sent together has a limit. */
export interface QueueLimits {
  readonly unitsMax: number
  readonly bytesMax: number
  readonly groupUnitsMax: number
  /** Sent alone where it is larger by itself. */
  readonly groupBytesMax: number
}

/** Enough for a burst of every caller Weir can have at once. */
export const queueLimits: QueueLimits = {
  unitsMax: 10_000,
  bytesMax: 128 * 1024 * 1024,
  groupUnitsMax: 1_000,
  groupBytesMax: 8 * 1024 * 1024,
}

/** The longest that anybody waits (R16). */
const waitMs = 5_000
/** What is older is sent no more, so that nearly everybody can be told for certain that nothing was written. */
const sendableMs = 4_500
const place = 'The store'
/** SQLITE_BUSY, as the thread would say it. */
const busy = { code: 5, message: 'database is locked' }

interface Entry {
  readonly unit: Unit
  readonly bytes: number
  readonly sinceMs: number
  readonly resolve: (results: readonly StatementResult[]) => void
  readonly reject: (error: WeirError) => void
  isSettled: boolean
}

/**
 * Groups units for the thread: what arrives in one turn of the event loop, or while a commit is under way, goes
 * together and shares one fsync. Holds everybody's promise until the commit that holds their unit is durable.
 */
export class UnitQueue {
  readonly #clock: Clock
  readonly #limits: QueueLimits
  #waiting: Entry[] = []
  #sent: Entry[] = []
  #bytes = 0
  #send: ((units: readonly Unit[]) => void) | undefined
  #obstacle: WeirError | undefined
  #isPumping = false
  #isClosed = false
  #patience: Timer | undefined
  #keepAlive: NodeJS.Timeout | undefined
  #onIdle: (() => void)[] = []

  constructor(clock: Clock, limits: QueueLimits = queueLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Resolves once the unit is durable. */
  run(unit: Unit): Promise<readonly StatementResult[]> {
    const bytes = bytesOf(unit)
    const refusal = this.#refusalFor(bytes)
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const sinceMs = this.#clock.monotonicMs()
      this.#waiting.push({ unit, bytes, sinceMs, resolve, reject, isSettled: false })
      this.#bytes += bytes
      this.#pump()
      this.#watch()
    })
  }

  /** The thread takes groups now, by `send`. */
  open(send: (units: readonly Unit[]) => void): void {
    this.#send = send
    this.#obstacle = undefined
    this.#pump()
  }

  /** The thread's answers to the group that was sent, in its order. */
  answer(answers: readonly Answer[]): void {
    const group = this.#sent
    this.#sent = []
    const again: Entry[] = []
    group.forEach((entry, index) => {
      const answer = answers[index]!
      if (entry.isSettled) return
      if ('results' in answer) this.#settle(entry, () => entry.resolve(answer.results))
      else if ('failure' in answer) this.#fail(entry, explainFailure(answer.failure, place), answer.isUnknown)
      else again.push(entry)
    })
    this.#obstacle = answers.some((answer) => 'isBusy' in answer) ? explainFailure(busy, place) : undefined
    this.#waiting = [...again, ...this.#waiting]
    this.#pump()
    this.#watch()
  }

  /** The thread has gone. What it had may be durable or not; what waits goes on waiting for the next one. */
  interrupt(cause: WeirError): void {
    this.#send = undefined
    this.#obstacle = cause
    const group = this.#sent
    this.#sent = []
    for (const entry of group) if (!entry.isSettled) this.#fail(entry, cause, !entry.unit.isRead)
    this.#watch()
  }

  /** Takes no more; resolves when nobody waits any longer. */
  async drain(): Promise<void> {
    this.#isClosed = true
    if (this.#isIdle) return
    await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }

  get #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#sent.every(({ isSettled }) => isSettled)
  }

  #refusalFor(bytes: number): WeirError | undefined {
    if (this.#isClosed) {
      return new WeirError('STORE_UNAVAILABLE', 'The store is closed.', { hint: 'Open it again.' })
    }
    const { unitsMax, bytesMax } = this.#limits
    if (bytes > bytesMax) {
      const message = `A change has about ${bytes} bytes; the store takes up to ${bytesMax} at once.`
      return new WeirError('STORE_VALUE_TOO_LARGE', message, { hint: 'Change less at once.' })
    }
    if (this.#waiting.length < unitsMax && this.#bytes + bytes <= bytesMax) return undefined
    const message = `The store’s queue is full: ${this.#waiting.length} changes and reads wait in it.`
    return new WeirError('OVERLOADED', message, { hint: 'Try again later; nothing was written.' })
  }

  /** At the end of the turn, so that everything asked for in it goes together. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    setImmediate(() => {
      this.#isPumping = false
      if (this.#send === undefined || this.#sent.length > 0) return
      this.#sent = this.#takeGroup()
      if (this.#sent.length > 0) this.#send(this.#sent.map(({ unit }) => unit))
    })
  }

  #takeGroup(): Entry[] {
    this.#expire()
    const { groupUnitsMax, groupBytesMax } = this.#limits
    let bytes = 0
    let count = 0
    for (const entry of this.#waiting) {
      bytes += entry.bytes
      if (count === groupUnitsMax || (count > 0 && bytes > groupBytesMax)) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  /** Everybody waits equally long, so the oldest is always first, and one timer is enough. */
  #watch(): void {
    this.#patience?.cancel()
    const oldest = this.#sent.find(({ isSettled }) => !isSettled) ?? this.#waiting[0]
    if (oldest !== undefined) {
      const limitMs = oldest === this.#waiting[0] ? sendableMs : waitMs
      const delayMs = oldest.sinceMs + limitMs - this.#clock.monotonicMs()
      this.#patience = this.#clock.setTimer(() => this.#losePatience(), Math.max(0, delayMs))
      // A program that waits for its change must not end before it is durable.
      this.#keepAlive ??= setInterval(() => {}, 2 ** 30)
    } else {
      clearInterval(this.#keepAlive)
      this.#keepAlive = undefined
    }
    if (this.#isIdle) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  #losePatience(): void {
    this.#expire()
    this.#watch()
  }

  #expire(): void {
    const nowMs = this.#clock.monotonicMs()
    const obstacle =
      this.#obstacle ??
      new WeirError('STORE_UNAVAILABLE', `${place} did not answer within ${waitMs} ms.`, {
        hint: 'Look at the disk that holds it; try again later.',
      })
    while (this.#waiting.length > 0 && nowMs - this.#waiting[0]!.sinceMs >= sendableMs) {
      this.#fail(this.#waiting.shift()!, obstacle, false)
    }
    for (const entry of this.#sent) {
      if (!entry.isSettled && nowMs - entry.sinceMs >= waitMs) this.#fail(entry, obstacle, !entry.unit.isRead)
    }
  }

  /** Says for certain what is certain: whether the change may have been made. */
  #fail(entry: Entry, { code, message, hint, cause }: WeirError, isUnknown: boolean): void {
    const fate = isUnknown
      ? 'The change may have been made or not: read it again before relying on either.'
      : entry.unit.isRead
        ? ''
        : 'Nothing was written.'
    const error = new WeirError(code, fate === '' ? message : `${message} ${fate}`, {
      ...(hint === undefined ? {} : { hint }),
      cause,
      data: { outcome: isUnknown ? 'unknown' : 'not-done' },
    })
    this.#settle(entry, () => entry.reject(error))
  }

  #settle(entry: Entry, tell: () => void): void {
    entry.isSettled = true
    this.#bytes -= entry.bytes
    tell()
  }
}

/** About: characters and not bytes, which is close enough to bound memory. */
function bytesOf({ statements }: Unit): number {
  let bytes = 0
  for (const statement of statements) {
    if ('sql' in statement) bytes += statement.sql.length
    for (const value of statement.parameters) bytes += typeof value === 'string' ? value.length : 8
  }
  return bytes
}
