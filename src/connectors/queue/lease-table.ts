import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { HeldLease } from './broker.ts'
import { createLeaseLost } from './broker-errors.ts'

/** How many leases one broker may have in this process; further messages stay in their queues. */
export const leasesMax = 10_000

interface Lease<Handle> {
  readonly queue: string
  readonly owner: string
  readonly handle: Handle
  readonly endsMs: number
}

/** Unguessable: 144 random bits. */
export function createLeaseToken(): string {
  return randomBytes(18).toString('base64url')
}

/**
 * Leases of brokers whose deliveries live on a connection, or whose handles are not bound to a caller. Tokens are
 * unguessable and good for their owner only. Measured on the monotonic clock (R18).
 */
export class LeaseTable<Handle> {
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #onExpire: (handle: Handle) => void
  /** All leases last equally long, so the first one that went in is the first to end. */
  readonly #leases = new Map<string, Lease<Handle>>()
  #timer: Timer | undefined

  constructor(clock: Clock, leaseMs: number, onExpire: (handle: Handle) => void) {
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#onExpire = onExpire
  }

  get size(): number {
    return this.#leases.size
  }

  /** How many of `wanted` leases there is room for. Ask before messages are taken. Throws OVERLOADED where there is none. */
  reserve(wanted: number): number {
    const free = leasesMax - this.#leases.size
    if (free > 0) return Math.min(free, wanted)
    throw new WeirError('OVERLOADED', `${leasesMax} messages are leased already.`, {
      hint: 'Acknowledge what was received, or wait until the leases end.',
      data: { leasesMax },
    })
  }

  /** The token of a new lease. */
  issue(queue: string, owner: string, handle: Handle): string {
    const token = createLeaseToken()
    const endsMs = this.#clock.monotonicMs() + this.#leaseMs
    this.#leases.set(token, { queue, owner, handle, endsMs })
    this.#watch()
    return token
  }

  /** What is leased, without ending it: settle it with the broker first, then `end` it. Throws LEASE_LOST. */
  find({ queue, owner, lease }: HeldLease): Handle {
    const found = this.#leases.get(lease)
    if (found === undefined || found.owner !== owner || found.queue !== queue) throw createLeaseLost(queue)
    return found.handle
  }

  /** Takes a lease out; its end is then nobody's business here. Throws LEASE_LOST. */
  end(held: HeldLease): Handle {
    const handle = this.find(held)
    this.#leases.delete(held.lease)
    return handle
  }

  /** Forgets one that was settled; one that ended meanwhile is no error. */
  forget(token: string): void {
    this.#leases.delete(token)
  }

  /** Forgets every lease, as when the connection that held the deliveries died: the broker delivers them again by itself. */
  clear(): void {
    this.#leases.clear()
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #watch(): void {
    if (this.#timer !== undefined) return
    const first = this.#leases.values().next().value
    if (first === undefined) return
    this.#timer = this.#clock.setTimer(
      () => this.#expire(),
      Math.max(0, first.endsMs - this.#clock.monotonicMs()),
    )
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#clock.monotonicMs()
    for (const [token, { endsMs, handle }] of this.#leases) {
      if (endsMs > now) break
      this.#leases.delete(token)
      this.#onExpire(handle)
    }
    this.#watch()
  }
}
