import type { Timer } from '../../../core/clock.ts'
import { systemClock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { Patience } from '../dialect.ts'
import { type WorkerListener, WorkerProcess } from './worker-process.ts'
import {
  commitLine,
  memoryBytesMax,
  memoryMark,
  type WorkerMessage,
  type WorkerOptions,
  type WorkerRequest,
} from './worker-protocol.ts'

const queuedMax = 256
const tickMs = 20
/** The longest wait for a free process where the call itself sets no deadline. */
const waitTimeoutMs = 30_000
const startTimeoutMs = 10_000
/** Twice as long as a commit waits for other programs that read, after which SQLite itself says that nothing changed. */
const commitTimeoutMs = 10_000

/** How many requests a reader is given at once, so that it never waits for the next one. */
const pipelinedMax = 8

/** What a pool of processes is for, and how large it may grow. */
export interface PoolOptions {
  readonly processes: number
  /**
   * Whether a request may be run again in another process. Reads may, so they are sent ahead; a transaction
   * is sent only to a process that does nothing else.
   */
  readonly replayable: boolean
  readonly statementTimeoutMs: number
  readonly worker: WorkerOptions
}

interface Job {
  readonly line: string
  readonly patience: Patience
  readonly queuedMs: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** A process and what it was sent. The first entry is what it runs now; `undefined` marks one nobody waits for. */
interface Seat {
  readonly worker: WorkerProcess
  readonly sent: (Job | undefined)[]
  readonly startedMs: number
  ready: boolean
  headSinceMs: number
  committingSinceMs: number | undefined
}

/**
 * Shares requests among a few database processes, started when they are needed. One ticker, running only while a
 * request is open, watches deadlines, callers who left and slow statements, so that a fast request pays for none.
 */
export class WorkerPool implements WorkerListener {
  readonly #options: PoolOptions
  readonly #seats = new Map<WorkerProcess, Seat>()
  readonly #ending = new Set<Promise<void>>()
  #queue: Job[] = []
  #ticker: Timer | undefined
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Rejects with OVERLOADED where 256 requests already wait. */
  run(request: WorkerRequest, patience: Patience): Promise<unknown> {
    if (this.#closed) return Promise.reject(unavailable(this.#alias, 'is closed'))
    if (this.#queue.length >= queuedMax) return Promise.reject(overloaded(this.#alias))
    return new Promise((resolve, reject) => {
      const line = `${JSON.stringify(request)}\n`
      this.#queue.push({ line, patience, queuedMs: systemClock.monotonicMs(), resolve, reject })
      this.#dispatch()
      this.#ticker ??= systemClock.setTimer(this.#tick, tickMs)
    })
  }

  /** A commit under way is given time to end; everything else is stopped. */
  async close(): Promise<void> {
    this.#closed = true
    this.#ticker?.cancel()
    this.#failQueue(unavailable(this.#alias, 'was closed'))
    for (const seat of [...this.#seats.values()]) {
      if (seat.committingSinceMs === undefined && seat.sent.length > 0) {
        this.#stop(seat, unavailable(this.#alias, 'was closed'))
      } else {
        seat.worker.end()
        const timer = systemClock.setTimer(() => seat.worker.kill(), commitTimeoutMs)
        this.#ending.add(seat.worker.exited.finally(() => timer.cancel()))
      }
    }
    await Promise.all(this.#ending)
  }

  received(worker: WorkerProcess, message: WorkerMessage): void {
    const seat = this.#seats.get(worker)
    if (seat === undefined) return
    seat.headSinceMs = systemClock.monotonicMs()
    if ('ready' in message) seat.ready = true
    else if ('committing' in message) {
      seat.committingSinceMs = seat.headSinceMs
      worker.send(commitLine)
      return
    } else {
      seat.committingSinceMs = undefined
      settle(seat.sent.shift(), message)
    }
    this.#dispatch()
  }

  exited(worker: WorkerProcess): void {
    const seat = this.#seats.get(worker)
    if (seat === undefined) return
    const error = this.#describeExit(seat)
    this.#stop(seat, error)
    if (!seat.ready && this.#seats.size === 0) this.#failQueue(error)
    if (!this.#closed) this.#dispatch()
  }

  get #alias(): string {
    return this.#options.worker.alias
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const seat = this.#choose()
      if (seat === undefined) break
      const job = this.#queue.shift()!
      if (seat.sent.length === 0) seat.headSinceMs = systemClock.monotonicMs()
      seat.sent.push(job)
      seat.worker.send(job.line)
    }
    if (this.#queue.length > 0 && this.#seats.size < this.#options.processes) this.#start()
  }

  /** An idle process, else the least busy one that is not stuck in a slow statement. */
  #choose(): Seat | undefined {
    const allowed =
      this.#options.replayable && this.#seats.size === this.#options.processes ? pipelinedMax : 1
    let best: Seat | undefined
    for (const seat of this.#seats.values()) {
      if (!seat.ready || seat.sent.length >= allowed) continue
      if (seat.sent.length > 0 && systemClock.monotonicMs() - seat.headSinceMs > tickMs) continue
      if (best === undefined || seat.sent.length < best.sent.length) best = seat
    }
    return best
  }

  /** One at a time: the others are started only if there is still something to do for them. */
  #start(): void {
    for (const seat of this.#seats.values()) if (!seat.ready) return
    const worker = new WorkerProcess(this.#options.worker, this)
    const nowMs = systemClock.monotonicMs()
    this.#seats.set(worker, {
      worker,
      sent: [],
      startedMs: nowMs,
      ready: false,
      headSinceMs: nowMs,
      committingSinceMs: undefined,
    })
  }

  readonly #tick = (): void => {
    const nowMs = systemClock.monotonicMs()
    this.#queue = this.#queue.filter((job) => !this.#expire(job, nowMs, job.queuedMs + waitTimeoutMs))
    for (const seat of [...this.#seats.values()]) this.#watch(seat, nowMs)
    this.#dispatch()
    const open = this.#queue.length > 0 || [...this.#seats.values()].some((seat) => seat.sent.length > 0)
    this.#ticker = open ? systemClock.setTimer(this.#tick, tickMs) : undefined
  }

  #watch(seat: Seat, nowMs: number): void {
    if (!seat.ready) {
      if (nowMs - seat.startedMs > startTimeoutMs) seat.worker.kill()
      return
    }
    if (seat.sent.length === 0 || nowMs - seat.headSinceMs < tickMs) return
    if (seat.committingSinceMs !== undefined) {
      if (nowMs - seat.committingSinceMs > commitTimeoutMs) this.#stop(seat, outcomeUnknown(this.#alias))
      return
    }
    this.#takeBack(seat)
    const [head] = seat.sent
    const lateMs = seat.headSinceMs + this.#options.statementTimeoutMs
    if (head !== undefined && !this.#expire(head, nowMs, lateMs)) return
    this.#stop(seat)
    this.#start()
  }

  /** Requests behind a slow statement go to other processes; what this one still makes of them is dropped. */
  #takeBack(seat: Seat): void {
    const behind = seat.sent.slice(1).filter((job) => job !== undefined)
    seat.sent.fill(undefined, 1)
    this.#queue.unshift(...behind)
  }

  /** Rejects a job whose caller left or whose time is over. */
  #expire(job: Job, nowMs: number, lateMs: number): boolean {
    const { signal, deadlineMs } = job.patience
    if (signal.aborted) job.reject(signal.reason)
    else if (nowMs >= deadlineMs || nowMs >= lateMs) {
      job.reject(tooLate(this.#alias, Math.round(nowMs - job.queuedMs)))
    } else return false
    return true
  }

  /** Ends a process at once. Its first request fails with `error`; those behind it had not begun. */
  #stop(seat: Seat, error?: WeirError): void {
    this.#seats.delete(seat.worker)
    this.#takeBack(seat)
    if (error !== undefined) seat.sent[0]?.reject(error)
    seat.worker.kill()
    this.#ending.add(seat.worker.exited)
    seat.worker.exited.finally(() => this.#ending.delete(seat.worker.exited))
    if (this.#closed) this.#failQueue(unavailable(this.#alias, 'was closed'))
  }

  #failQueue(error: WeirError): void {
    for (const job of this.#queue.splice(0)) job.reject(error)
  }

  #describeExit(seat: Seat): WeirError {
    if (seat.committingSinceMs !== undefined) return outcomeUnknown(this.#alias)
    if (seat.worker.lastWords.includes(memoryMark)) return tooMuchMemory()
    const cause = new Error(seat.worker.lastWords || 'The process ended without a word.')
    return unavailable(this.#alias, 'lost its process, and the statement was not completed', cause)
  }
}

function settle(job: Job | undefined, message: WorkerMessage): void {
  if (job === undefined) return
  if ('ok' in message) job.resolve(message.ok)
  else if ('failed' in message) {
    const { code, message: text, hint, data } = message.failed
    // A fault of ours is no answer for callers: as a plain error its text goes to the log alone.
    if (code === 'INTERNAL') job.reject(new Error(text))
    else job.reject(new WeirError(code, text, { ...(hint && { hint }), ...(data && { data }) }))
  }
}

function overloaded(alias: string): WeirError {
  return new WeirError('OVERLOADED', `${queuedMax} statements already wait for database ${alias}.`, {
    hint: 'Try again in a moment; an operator can raise `readers`.',
  })
}

function unavailable(alias: string, what: string, cause?: Error): WeirError {
  return new WeirError('DATABASE_UNAVAILABLE', `Database ${alias} ${what}.`, {
    hint: 'Try again in a moment.',
    cause,
  })
}

function tooLate(alias: string, waitedMs: number): WeirError {
  return new WeirError(
    'DEADLINE_EXCEEDED',
    `Database ${alias} did not answer within ${waitedMs} ms; the statement was stopped and changed nothing.`,
    {
      hint: 'Ask for less, or use an index; an operator can raise `statementTimeoutMs`.',
    },
  )
}

function tooMuchMemory(): WeirError {
  return new WeirError(
    'SQL_ERROR',
    `The statement took more than ${memoryBytesMax / 1024 / 1024} MiB of memory and was stopped.`,
    {
      hint: 'Ask for fewer or smaller values.',
    },
  )
}

function outcomeUnknown(alias: string): WeirError {
  return new WeirError(
    'OUTCOME_UNKNOWN',
    `Database ${alias} stopped answering during the commit, which may or may not have happened.`,
    {
      hint: 'Read the data before you send the transaction again.',
    },
  )
}
