import type { Clock } from '../core/clock.ts'
import type { BreakerRule } from '../core/policy.ts'

/** Closed: calls pass. Open: none does. Half-open: one at a time may try. */
export type CircuitState = 'closed' | 'open' | 'half_open'

/** D2-054: how one circuit stands. Times are ISO 8601. */
export interface CircuitReport {
  readonly name: string
  readonly state: CircuitState
  readonly failure_count: number
  readonly success_count: number
  readonly opened_at: string | null
  readonly last_failure: string | null
}

/** What a call that was let through gives back with its end. */
export interface Pass {
  /** Calls that were let through before the last change of state say nothing about this one. */
  readonly generation: number
  /** The how-manyth call it is. */
  readonly order: number
}

/** Told after each change of state. */
export type OnTransition = (circuit: Circuit, from: CircuitState) => void

/** Another call asks again after this, where one that tries is under way. */
const probeRetryMs = 1_000

/**
 * The breaker of one target (R8, C-05). Failures in a row open it (B-26); after `recoveryMs` on the monotonic clock one
 * call at a time may try (B-28); `successes` of these in a row close it, and a failure opens it at once.
 */
export class Circuit {
  readonly name: string
  rule: BreakerRule
  /** Monotonic milliseconds of the last time anything happened here but success as usual. */
  touchedMs = 0
  readonly #clock: Clock
  readonly #onTransition: OnTransition
  #state: CircuitState = 'closed'
  #generation = 0
  #order = 0
  #failures = 0
  #successes = 0
  #isProbing = false
  #openedMs = 0
  #openedAt: number | undefined
  #failedAt: number | undefined
  #breakOrder = 0

  constructor(name: string, rule: BreakerRule, clock: Clock, onTransition: OnTransition) {
    this.name = name
    this.rule = rule
    this.#clock = clock
    this.#onTransition = onTransition
  }

  get state(): CircuitState {
    return this.#state
  }

  /** Lets a call through, or does not. Whoever got a pass gives it back exactly once: to `succeed`, `fail` or `release`. */
  enter(): Pass | undefined {
    if (this.#state !== 'closed' && !this.#mayProbe()) return undefined
    this.#order += 1
    return { generation: this.#generation, order: this.#order }
  }

  #mayProbe(): boolean {
    if (this.#state === 'open') {
      if (this.#clock.monotonicMs() - this.#openedMs < this.rule.recoveryMs) return false
      this.#successes = 0
      this.#move('half_open')
    }
    if (this.#isProbing) return false
    this.#isProbing = true
    return true
  }

  /** How long a refused call had better wait. */
  get retryAfterMs(): number {
    if (this.#state !== 'open') return probeRetryMs
    return Math.max(1, Math.ceil(this.#openedMs + this.rule.recoveryMs - this.#clock.monotonicMs()))
  }

  /** The system answered. */
  succeed({ generation }: Pass): void {
    if (generation !== this.#generation) return
    if (this.#state === 'closed') {
      this.#failures = 0
      return
    }
    this.#isProbing = false
    this.#successes += 1
    if (this.#successes < this.rule.successes) return
    this.#failures = 0
    this.#openedAt = undefined
    this.#move('closed')
  }

  /** The system failed. `isBreak`: the way to it broke, which fails every call that was under way and happened once. */
  fail({ generation, order }: Pass, isBreak = false): void {
    if (generation !== this.#generation) return
    this.#failedAt = this.#clock.now()
    if (isBreak) {
      if (order <= this.#breakOrder) return
      this.#breakOrder = this.#order
    }
    this.touchedMs = this.#clock.monotonicMs()
    this.#failures += 1
    if (this.#state === 'closed' && this.#failures < this.rule.failures) return
    this.#openedMs = this.#clock.monotonicMs()
    this.#openedAt = this.#clock.now()
    this.#isProbing = false
    this.#move('open')
  }

  /** The call ended and says nothing of the system: one that tried makes room for the next. */
  release({ generation }: Pass): void {
    if (generation === this.#generation) this.#isProbing = false
  }

  /** D2-054. */
  report(): CircuitReport {
    return {
      name: this.name,
      state: this.#state,
      failure_count: this.#failures,
      success_count: this.#state === 'half_open' ? this.#successes : 0,
      opened_at: renderTime(this.#openedAt),
      last_failure: renderTime(this.#failedAt),
    }
  }

  #move(to: CircuitState): void {
    const from = this.#state
    this.#state = to
    this.#generation += 1
    this.touchedMs = this.#clock.monotonicMs()
    this.#onTransition(this, from)
  }
}

function renderTime(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
