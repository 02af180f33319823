import { Cancellation, type StopSignal } from '../../../core/cancellation.ts'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import { abandonOn } from '../../shared/abandon-on.ts'
import { pause } from '../pause.ts'

const probeMs = { first: 100, last: 2_000 }
/** After so long it is no restart any more: calls fail at once, and the server is looked for all the same. */
const patienceMs = 30_000
const waitingMax = 1_000
/** Who only asks whether the server is there wants the truth soon, and yet no alarm at every restart. */
const questionMaxMs = 3_000
/** What a server that restarts looks like from outside. A wrong certificate, say, does not mend by itself. */
const restarting: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND'],
  ...['EAI_AGAIN', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'],
])

/** What tells that a server is back. */
export interface AbsenceOptions {
  /** The server's own. That another one is away, which gives out credentials say, is not its absence. */
  readonly origin: string
  /** Resolves with whether the server takes connections again. Must not reject. */
  readonly probe: (signal: StopSignal) => Promise<boolean>
  readonly clock?: Clock
  /** 0 to 1, for jitter. */
  readonly random?: () => number
}

interface Gone {
  readonly sinceMs: number
  /** Resolves when the server is back; rejects when patience ends. */
  readonly back: Promise<void>
  readonly end: (failure?: unknown) => void
  /** Set when patience has ended. */
  verdict: unknown
}

/**
 * A server behind a URL dies unseen: what shows is that it takes no connections. Requests that found it so, and of which
 * nothing was sent, wait here together for one look-out (R7).
 */
export class Absence {
  readonly #origin: string
  readonly #probe: AbsenceOptions['probe']
  readonly #clock: Clock
  readonly #random: () => number
  readonly #closing = new Cancellation()
  #hasAnswered = false
  #gone: Gone | undefined
  #waiting = 0

  constructor({ origin, probe, clock = systemClock, random = Math.random }: AbsenceOptions) {
    this.#origin = origin
    this.#probe = probe
    this.#clock = clock
    this.#random = random
  }

  /** The server has answered. Every answer comes by here, so it is next to nothing. */
  answered(): void {
    this.#hasAnswered = true
    if (this.#gone !== undefined) this.#return(this.#gone)
  }

  /** Throws where the server has been gone for too long to be tried once more by each request. */
  refuse(): void {
    if (this.#gone?.verdict !== undefined) throw this.#gone.verdict
  }

  /**
   * Resolves when the request that failed so may be sent once more; rejects with `failure` where that is of no use. A
   * request that only asks whether the server is there waits for a moment only.
   */
  async outlast(failure: unknown, stop: StopSignal, isQuestion: boolean): Promise<void> {
    if (!this.#hasAnswered || !this.#isAway(failure) || this.#closing.aborted) throw failure
    const gone = this.#gone ?? this.#begin(failure)
    if (gone.verdict !== undefined || stop.aborted) throw failure
    if (this.#waiting >= waitingMax) throw tooMany()
    this.#waiting += 1
    try {
      await abandonOn(stop, isQuestion ? this.#soon(gone.back, failure) : gone.back)
    } finally {
      this.#waiting -= 1
    }
  }

  close(): void {
    const closed = new WeirError('CONNECTION_UNAVAILABLE', 'The connection to the MCP server was closed.')
    this.#closing.cancel(closed)
    this.#gone?.end(closed)
  }

  #isAway(failure: unknown): boolean {
    if (!(failure instanceof WeirError) || failure.data?.['sent'] !== false) return false
    return failure.data['origin'] === this.#origin && restarting.has(failure.data['cause'])
  }

  #soon(back: Promise<void>, failure: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(() => reject(failure), questionMaxMs)
      back.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  #begin(failure: unknown): Gone {
    let end: Gone['end'] = () => {}
    const back = new Promise<void>((resolve, reject) => {
      end = (thrown) => (thrown === undefined ? resolve() : reject(thrown))
    })
    // Where nobody waits, nobody minds.
    back.catch(() => {})
    const gone = { sinceMs: this.#clock.monotonicMs(), back, end, verdict: undefined }
    this.#gone = gone
    void this.#lookOut(gone, failure)
    return gone
  }

  async #lookOut(gone: Gone, failure: unknown): Promise<void> {
    for (let pauseMs = probeMs.first; this.#gone === gone; pauseMs = Math.min(pauseMs * 2, probeMs.last)) {
      try {
        await pause(pauseMs * (0.5 + this.#random() / 2), this.#closing, this.#clock)
      } catch {
        return
      }
      if (this.#gone !== gone) return
      if (await this.#probe(this.#closing)) return this.#return(gone)
      if (this.#clock.monotonicMs() - gone.sinceMs < patienceMs) continue
      gone.verdict ??= failure
      gone.end(failure)
    }
  }

  #return(gone: Gone): void {
    if (this.#gone === gone) this.#gone = undefined
    gone.end()
  }
}

function tooMany(): WeirError {
  return new WeirError('OVERLOADED', `${waitingMax} calls already wait for this MCP server to come back.`, {
    hint: 'Wait until the server runs again.',
    data: { sent: false },
  })
}
