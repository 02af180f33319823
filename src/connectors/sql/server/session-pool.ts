import type { Clock, Timer } from '../../../core/clock.ts'
import type { WeirError } from '../../../core/error.ts'
import type { Patience } from '../dialect.ts'
import { PoolSize, resizeIntervalMs } from './pool-size.ts'
import { closed, overloaded, tooLate } from './server-error.ts'
import { type Watch, watchPatience } from './watch-patience.ts'

/** Callers that wait for a session; one more is refused. */
const waitingMax = 256
/** The longest wait for a free session where the call itself sets no deadline. */
const waitTimeoutMs = 30_000
/** A session is replaced after this many uses, so that what a server keeps for it cannot grow for ever (D1-013). */
const usesMax = 50_000

/** One login at a database server, used by one call at a time. */
export interface Session {
  /** False once it is broken, abandoned or ended. */
  readonly isUsable: boolean
  /** Calls back when it breaks, also while nobody uses it. */
  onBreak(listener: () => void): void
  /** Resolves when its socket is closed. Safe to call twice. */
  end(): Promise<void>
}

/** What a pool is for. */
export interface PoolOptions<S extends Session> {
  readonly alias: string
  readonly min: number
  readonly max: number
  /** How long a session beyond the pool's size may be idle. */
  readonly idleMs: number
  readonly clock: Clock
  /** Logs in. Rejects with a WeirError, and without delay once `signal` aborts. */
  open(signal: AbortSignal): Promise<S>
}

interface Seat {
  uses: number
  idleSinceMs: number
}

interface Waiter<S> {
  readonly number: number
  readonly watch: Watch
  resolve(session: S): void
  reject(error: unknown): void
}

/**
 * The sessions of one database (B-01, D1-012), opened when they are needed and lent to one call at a time (B-02).
 * A session that breaks while it is idle leaves unseen; the next call gets another.
 */
export class SessionPool<S extends Session> {
  readonly #options: PoolOptions<S>
  readonly #size: PoolSize
  readonly #seats = new Map<S, Seat>()
  /** Last in, first out: sessions that are not needed stay idle and are found by the sweep. */
  readonly #idle: S[] = []
  readonly #waiting = new Set<Waiter<S>>()
  readonly #ending = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #opening = 0
  #waiters = 0
  #peakUsed = 0
  #resizedMs = 0
  #sweeper: Timer | undefined
  #closed = false

  constructor(options: PoolOptions<S>) {
    this.#options = options
    this.#size = new PoolSize(options)
  }

  /** What an operator may want to see: open sessions, those in use, callers that wait, and how many stay open idle. */
  get state(): { open: number; used: number; waiting: number; size: number } {
    const open = this.#seats.size
    const used = open - this.#idle.length
    return { open, used, waiting: this.#waiting.size, size: this.#size.size }
  }

  /** A session for the caller alone, until it is released. At once where one is idle; OVERLOADED where 256 wait. */
  acquire(patience: Patience): S | Promise<S> {
    if (this.#closed) throw closed(this.#options.alias)
    const session = this.#waiting.size === 0 ? this.#takeIdle() : undefined
    return session ?? this.#wait(patience)
  }

  /** Takes a session back. One that is not usable any more is replaced when somebody needs it. */
  release(session: S): void {
    const seat = this.#seats.get(session)
    if (seat === undefined) return
    const [waiter] = this.#waiting
    if (this.#closed || !session.isUsable || seat.uses >= usesMax) this.#remove(session)
    else if (waiter !== undefined) this.#give(waiter, session)
    else {
      seat.idleSinceMs = this.#options.clock.monotonicMs()
      this.#idle.push(session)
    }
  }

  /** Ends the sessions that nobody uses: one of them turned out to be dead without a word. */
  distrustIdle(): void {
    for (const session of this.#idle.splice(0)) this.#remove(session)
  }

  /** Ends every session and waits until the last socket is closed. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stop.abort()
    this.#sweeper?.cancel()
    for (const waiter of this.#waiting) this.#refuse(waiter, closed(this.#options.alias))
    for (const session of [...this.#seats.keys()]) this.#remove(session)
    while (this.#ending.size > 0) await Promise.all(this.#ending)
  }

  #takeIdle(): S | undefined {
    for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
      if (session.isUsable) return this.#lend(session)
      this.#remove(session)
    }
    return undefined
  }

  #lend(session: S): S {
    this.#seats.get(session)!.uses++
    this.#peakUsed = Math.max(this.#peakUsed, this.#seats.size - this.#idle.length)
    return session
  }

  #wait(patience: Patience): Promise<S> {
    if (this.#waiting.size >= waitingMax) {
      return Promise.reject(overloaded(this.#options.alias, waitingMax, 'raise `pool.max`'))
    }
    return new Promise((resolve, reject) => {
      const stop = (reason: unknown, waitedMs: number) =>
        this.#refuse(waiter, reason ?? tooLate(this.#options.alias, waitedMs, 'had no free session'))
      const watch = watchPatience(patience, waitTimeoutMs, stop)
      const waiter = { number: ++this.#waiters, watch, resolve, reject }
      this.#waiting.add(waiter)
      this.#grow()
    })
  }

  /** One login a waiting caller, as far as the bound allows. */
  #grow(): void {
    const { max } = this.#options
    while (this.#opening < this.#waiting.size && this.#seats.size + this.#opening < max) {
      this.#opening++
      const opened = this.#open().finally(() => {
        this.#ending.delete(opened)
      })
      this.#ending.add(opened)
    }
  }

  async #open(): Promise<void> {
    const waiters = this.#waiters
    try {
      const session = await this.#options.open(this.#stop.signal)
      this.#opening--
      this.#seats.set(session, { uses: 0, idleSinceMs: this.#options.clock.monotonicMs() })
      session.onBreak(() => this.#dropIdle(session))
      this.#watchIdle()
      this.release(session)
    } catch (thrown) {
      this.#opening--
      const [waiter] = this.#waiting
      // Who came after this login began has one coming that may fare better.
      if (waiter !== undefined && waiter.number <= waiters) this.#refuse(waiter, thrown)
      this.#grow()
    }
  }

  #give(waiter: Waiter<S>, session: S): void {
    this.#waiting.delete(waiter)
    waiter.watch.end()
    waiter.resolve(this.#lend(session))
  }

  #refuse(waiter: Waiter<S>, reason: unknown): void {
    this.#waiting.delete(waiter)
    waiter.watch.end()
    waiter.reject(reason as WeirError)
  }

  /** One that is in use stays until its user gives it back. */
  #dropIdle(session: S): void {
    const at = this.#idle.indexOf(session)
    if (at === -1) return
    this.#idle.splice(at, 1)
    this.#remove(session)
  }

  /** Its place is free once its socket is closed, so that a server never sees more logins than were allowed. */
  #remove(session: S): void {
    const ended = session.end().finally(() => {
      this.#seats.delete(session)
      this.#ending.delete(ended)
      if (!this.#closed) this.#grow()
    })
    this.#ending.add(ended)
  }

  /** Runs only while a session is open. */
  #watchIdle(): void {
    if (this.#sweeper !== undefined) return
    this.#resizedMs = this.#options.clock.monotonicMs()
    this.#sweeper = this.#options.clock.setTimer(this.#sweep, this.#sweepMs)
  }

  get #sweepMs(): number {
    return Math.min(resizeIntervalMs, this.#options.idleMs)
  }

  readonly #sweep = (): void => {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#resizedMs >= resizeIntervalMs) {
      this.#size.follow(this.#peakUsed)
      this.#peakUsed = this.#seats.size - this.#idle.length
      this.#resizedMs = nowMs
    }
    let surplus = this.#seats.size - this.#size.size
    for (const session of [...this.#idle]) {
      if (surplus <= 0 || nowMs - this.#seats.get(session)!.idleSinceMs < this.#options.idleMs) break
      this.#dropIdle(session)
      surplus--
    }
    this.#sweeper =
      this.#seats.size > 0 ? this.#options.clock.setTimer(this.#sweep, this.#sweepMs) : undefined
  }
}
