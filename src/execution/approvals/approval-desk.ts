import type { Approval, ApprovalRequest, ApprovalStore, Verdict } from '../../core/approval.ts'
import type { StopSignal } from '../../core/cancellation.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { toWeirError } from '../../core/error.ts'

/** What a desk is built from. */
export interface ApprovalDeskParts {
  readonly store: ApprovalStore
  readonly clock: Clock
  /** How long a call waits for a decision before it answers that there is none yet. */
  readonly holdMs: number
  /** How long a request stands. */
  readonly expiryMs: number
  /** Told of each request that begins to wait. */
  readonly onArrival: (approval: Approval) => void
}

/** Where calls wait for somebody to agree. */
export interface ApprovalDesk
  extends Pick<ApprovalStore, 'find' | 'list' | 'decide' | 'use' | 'dismiss' | 'note'> {
  /** The request that stands for the same call, or a new one; undefined where too many wait. Durable when it resolves. */
  open(request: ApprovalRequest): Promise<Approval | undefined>
  /** Waits for a decision, and gives the request as it stands then. Rejects where the call is stopped or the store fails. */
  hold(approval: Approval, stop: StopSignal): Promise<Approval>
  /** Lets all that wait go, undecided as they are; nothing waits after it. */
  close(): void
}

/** Another process, as the command line is one, leaves its decision in the store alone. */
const pollMs = 250
/** Calls that wait in one process; more are answered at once that there is no decision yet. */
const heldMax = 1_000

interface Held {
  readonly approval: Approval
  settle(approval: Approval): void
  fail(error: unknown): void
}

/** A desk over a store that other processes may use too. */
export function createApprovalDesk(parts: ApprovalDeskParts): ApprovalDesk {
  const { store, clock, holdMs, expiryMs, onArrival } = parts
  const waiting = new WaitingCalls(store, clock)
  const announced = new Set<string>()

  const announce = (approval: Approval) => {
    if (approval.state !== 'pending' || announced.has(approval.id)) return
    if (announced.size >= heldMax) announced.delete(announced.values().next().value!)
    announced.add(approval.id)
    onArrival(approval)
  }
  return {
    async open(request) {
      const approval = await store.open(request, clock.now() + expiryMs)
      if (approval !== undefined) announce(approval)
      return approval
    },
    hold: (approval, stop) => waiting.hold(approval, stop, holdMs),
    async decide(id, verdict: Verdict) {
      const isDecided = await store.decide(id, verdict)
      if (isDecided) waiting.look()
      return isDecided
    },
    find: (ids) => store.find(ids),
    list: (state) => store.list(state),
    note: (request, verdict) => store.note(request, verdict),
    use: (id) => store.use(id),
    dismiss: (id) => store.dismiss(id),
    close: () => waiting.close(),
  }
}

/** The calls of this process that wait. One query looks after all of them. */
class WaitingCalls {
  readonly #store: ApprovalStore
  readonly #clock: Clock
  readonly #held = new Set<Held>()
  #timer: Timer | undefined
  #isLooking = false
  /** Whether something was decided while the store was being asked. */
  #isStale = false
  #isClosed = false

  constructor(store: ApprovalStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  async hold(approval: Approval, stop: StopSignal, holdMs: number): Promise<Approval> {
    if (stop.aborted) throw stop.reason
    if (this.#isClosed || this.#held.size >= heldMax) return approval
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#held.delete(held)
        timer.cancel()
        stop.removeEventListener('abort', abort)
      }
      const settle = (now: Approval) => {
        leave()
        resolve(now)
      }
      const fail = (error: unknown) => {
        leave()
        reject(toWeirError(error))
      }
      const held: Held = { approval, settle, fail }
      const abort = () => fail(stop.reason)
      const timer = this.#clock.setTimer(() => settle(approval), holdMs)
      this.#held.add(held)
      stop.addEventListener('abort', abort, { once: true })
      this.#timer ??= this.#clock.setTimer(() => this.look(), pollMs)
    })
  }

  look(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isStale = this.#isLooking
    if (this.#isLooking || this.#held.size === 0) return
    this.#isLooking = true
    void this.#lookOnce().finally(() => {
      this.#isLooking = false
      if (this.#isStale) this.look()
      if (this.#held.size > 0 && !this.#isLooking)
        this.#timer ??= this.#clock.setTimer(() => this.look(), pollMs)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = undefined
    for (const { approval, settle } of [...this.#held]) settle(approval)
  }

  /** Fails closed: who cannot see the decision must not be left to wait for it. */
  async #lookOnce(): Promise<void> {
    const asked = [...this.#held]
    try {
      const found = await this.#store.find([...new Set(asked.map(({ approval }) => approval.id))])
      const byId = new Map(found.map((approval) => [approval.id, approval]))
      for (const { approval, settle } of asked) {
        const now = byId.get(approval.id) ?? { ...approval, state: 'expired' as const }
        if (now.state !== 'pending') settle(now)
      }
    } catch (error) {
      for (const { fail } of asked) fail(error)
    }
  }
}
