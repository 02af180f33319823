import type { StopSignal } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import type { BrokerContext } from './broker.ts'
import { type BrokerName, createUnavailable } from './broker-errors.ts'

/** How long a request may go unanswered, and how long a call waits for the first connection. */
const answerTimeoutMs = 5000
const readyTimeoutMs = 2000

/** What a request is bounded by, beside time. */
export interface Bounds {
  readonly stop?: StopSignal
  /** How long an answer may take; five seconds where nothing is said. */
  readonly timeoutMs?: number
  /** Called when nothing came back in time: such a connection is as good as none. */
  onStall?(): void
}

/**
 * Whether there is a connection to a broker, and who has to hear of it. A driver tells `up` and `down`; calls wait in
 * `ready` for the first connection, fail at once while it is known to be down, and end when it breaks.
 */
export class LinkState {
  readonly broker: BrokerName
  readonly #context: BrokerContext
  readonly #news = new Set<() => void>()
  readonly #ends = new Set<(failure: WeirError) => void>()
  #isUp = false
  #isClosed = false
  #failure: unknown
  #what = ''

  constructor(title: string, context: BrokerContext) {
    this.broker = { name: context.name, title }
    this.#context = context
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** There is a connection now. */
  up(): void {
    if (this.#isClosed) return
    this.#isUp = true
    this.#failure = undefined
    this.#what = ''
    this.#tell()
  }

  /** There is none, and `what` is wrong. Whoever waits for an answer is told that it will not come. */
  down(failure: unknown, what: string): void {
    if (this.#isClosed) return
    if (this.#failure === undefined) this.#context.log.warn({ err: failure }, 'The broker is not reachable.')
    this.#failure = failure
    this.#what = what
    this.#isUp = false
    this.#tell()
    this.#endAll(this.renderDown(true))
  }

  /** There will be none again. Safe to call twice. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#isUp = false
    this.#tell()
    this.#endAll(this.renderDown(true))
  }

  /** Resolves while there is a connection. Rejects with BROKER_UNAVAILABLE, or with the stop signal's own reason. */
  async ready(stop?: StopSignal): Promise<void> {
    if (stop?.aborted) throw stop.reason
    if (!this.#isUp && !this.#isClosed && this.#failure === undefined) await this.#waitForNews(stop)
    if (stop?.aborted) throw stop.reason
    if (!this.#isUp) throw this.renderDown(false)
  }

  /** Rejects when the work does, when it is to stop, when nothing comes back in time, and when the connection ends. */
  bound<T>(work: Promise<T>, { stop, timeoutMs = answerTimeoutMs, onStall }: Bounds = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#context.clock.setTimer(() => {
        fail(createUnavailable(this.broker, `did not answer within ${timeoutMs / 1000} s`, { sent: true }))
        onStall?.()
      }, timeoutMs)
      const leave = () => {
        timer.cancel()
        unlisten()
        stop?.removeEventListener('abort', onStop)
      }
      const fail = (thrown: unknown) => {
        leave()
        reject(thrown)
      }
      const onStop = () => fail(stop!.reason)
      const unlisten = this.onEnd(fail)
      stop?.addEventListener('abort', onStop)
      work.then((value) => {
        leave()
        resolve(value)
      }, fail)
    })
  }

  /** Calls back once with the reason, when the connection breaks or is closed. Gives what takes the listener away. */
  onEnd(listener: (failure: WeirError) => void): () => void {
    this.#ends.add(listener)
    return () => this.#ends.delete(listener)
  }

  /** Why there is no connection. */
  renderDown(sent: boolean): WeirError {
    if (this.#isClosed)
      return new WeirError('CONNECTION_UNAVAILABLE', 'The connection is closed.', { data: { sent } })
    const what = this.#what === '' ? `did not answer within ${readyTimeoutMs / 1000} s` : this.#what
    return createUnavailable(this.broker, what, { sent, cause: this.#failure })
  }

  #tell(): void {
    for (const wake of [...this.#news]) wake()
  }

  #endAll(failure: WeirError): void {
    for (const end of [...this.#ends]) {
      this.#ends.delete(end)
      end(failure)
    }
  }

  #waitForNews(stop?: StopSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel()
        this.#news.delete(end)
        stop?.removeEventListener('abort', end)
        resolve()
      }
      const timer = this.#context.clock.setTimer(end, readyTimeoutMs)
      this.#news.add(end)
      stop?.addEventListener('abort', end)
    })
  }
}
