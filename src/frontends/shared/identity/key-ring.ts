import { hash } from 'node:crypto'
import type { Caller, Grants } from '../../../core/caller.ts'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { ApiKey, ApiKeyStore } from '../../../core/stores.ts'
import type { Claims } from './create-rights.ts'
import { keyPrefix, refuse } from './read-credential.ts'

/** What knowing keys needs. */
export interface KeyRingParts {
  readonly store: Pick<ApiKeyStore, 'list'>
  readonly rightsOf: (claims: Claims) => Grants
  readonly clock: Clock
  readonly log: Logger
}

/** How long the keys are taken for what the store holds: what is revoked elsewhere is refused after it (R15). */
const freshMs = 2_000
/** The least time between two reads, whoever asks with whatever key. */
const cooldownMs = 1_000
/** How long keys that were known are taken while the store cannot be read. After it nobody is let in. */
const outageMs = 60_000
const readMaxMs = 2_000
const form = new RegExp(`^${keyPrefix}[0-9a-f]{64}$`)

interface Known {
  readonly caller: Caller
  readonly endsAt: number
}

/** Gives the Caller of a key: at once where the store was read lately. Only hashes of keys are ever compared or kept. */
export function createKeyRing(parts: KeyRingParts): (key: string) => Caller | Promise<Caller> {
  const ring = new KeyRing(parts)
  return (key) => ring.callerOf(key)
}

class KeyRing {
  readonly #parts: KeyRingParts
  #known: ReadonlyMap<string, Known> = new Map()
  #readMs = Number.NEGATIVE_INFINITY
  #nextReadMs = Number.NEGATIVE_INFINITY
  #hasFailed = false
  #reading: Promise<void> | undefined

  constructor(parts: KeyRingParts) {
    this.#parts = parts
  }

  callerOf(key: string): Caller | Promise<Caller> {
    if (!form.test(key)) throw refuse('Invalid key: it is not of the form of a key.')
    const digest = hash('sha256', key, 'hex')
    const caller = this.#age() < freshMs ? this.#find(digest) : undefined
    return caller ?? this.#readFirst(digest)
  }

  async #readFirst(digest: string): Promise<Caller> {
    await this.#readSoon()
    const isKnown = this.#age() < outageMs
    const caller = isKnown ? this.#find(digest) : undefined
    if (caller !== undefined) return caller
    // What cannot be read may hold this key: it is not known to be wrong.
    if (!isKnown || this.#hasFailed) throw unavailable()
    throw refuse('Invalid key: it is unknown, revoked, or has ended.')
  }

  #age(): number {
    return this.#parts.clock.monotonicMs() - this.#readMs
  }

  #find(digest: string): Caller | undefined {
    const known = this.#known.get(digest)
    return known !== undefined && this.#parts.clock.now() < known.endsAt ? known.caller : undefined
  }

  #readSoon(): Promise<void> {
    if (this.#reading === undefined) {
      if (this.#parts.clock.monotonicMs() < this.#nextReadMs) return Promise.resolve()
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined
      })
    }
    return this.#reading
  }

  async #read(): Promise<void> {
    const { store, clock, log } = this.#parts
    const beganMs = clock.monotonicMs()
    this.#nextReadMs = beganMs + cooldownMs
    try {
      const keys = await this.#withinTime(store.list())
      this.#known = new Map(keys.map((key) => [key.hash, this.#admit(key)]))
      // What changed while it was read may not be in it.
      this.#readMs = beganMs
      this.#hasFailed = false
    } catch (thrown) {
      this.#hasFailed = true
      const cause = thrown instanceof Error ? thrown.message : String(thrown)
      log.error(
        { event: 'identity.keys-unread', cause },
        'The keys of callers cannot be read from the store.',
      )
    }
  }

  #admit({ id, tenant, roles, endsAt = Number.POSITIVE_INFINITY }: ApiKey): Known {
    const caller: Caller = { subject: `key:${id}`, tenant, grants: this.#parts.rightsOf({ roles }) }
    return { caller: Object.freeze(caller), endsAt }
  }

  #withinTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#parts.clock.setTimer(() => reject(new Error('the store did not answer')), readMaxMs)
      work.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}

function unavailable(): WeirError {
  return new WeirError('IDENTITY_UNAVAILABLE', 'The keys of callers cannot be read for now.', {
    hint: 'Try again later; whoever operates Weir finds the cause in its log.',
  })
}
