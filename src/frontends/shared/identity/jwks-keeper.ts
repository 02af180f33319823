import type { JSONWebKeySet, LocalJWKSet } from 'jose'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'

/** Keys of an issuer that publishes them. */
export interface JwksKeeper {
  /** The keys as they are known. Rejects with IDENTITY_UNAVAILABLE where none are, and cannot be read. */
  current(): Promise<LocalJWKSet>
  /** The keys read anew, for a token whose key is not there; undefined where they were read just now. */
  renewed(): Promise<LocalJWKSet | undefined>
}

/** What keeping keys needs. */
export interface JwksKeeperParts {
  /** Reads the document that the issuer publishes. */
  readonly load: () => Promise<JSONWebKeySet>
  /** How errors and the log name the issuer. */
  readonly name: string
  readonly clock: Clock
  readonly log: Logger
}

/** How long keys are taken for what the issuer publishes (D2-090). */
const freshMs = 3_600_000
/** How long they are used beyond that while the issuer cannot be reached. */
const staleMs = 3_600_000
/** The least time between two reads: tokens with made-up keys must not make Weir ask for each (S4). */
const cooldownMs = 30_000
/** The same after a read that failed. */
const failedCooldownMs = 5_000

/** Reads nothing before the first token. All times are monotonic: a clock that is set moves none of them (R18). */
export function createJwksKeeper({ load, name, clock, log }: JwksKeeperParts): JwksKeeper {
  let keys: LocalJWKSet | undefined
  let readMs = 0
  let nextReadMs = Number.NEGATIVE_INFINITY
  let reading: Promise<boolean> | undefined

  const read = async (): Promise<boolean> => {
    try {
      const [{ createLocalJWKSet }, document] = await Promise.all([import('jose'), load()])
      keys = createLocalJWKSet(document)
      readMs = clock.monotonicMs()
      nextReadMs = readMs + cooldownMs
      return true
    } catch (cause) {
      nextReadMs = clock.monotonicMs() + failedCooldownMs
      const why = cause instanceof Error ? cause.message : String(cause)
      log.warn(
        { event: 'identity.keys-unread', issuer: name, cause: why },
        'The keys of an issuer cannot be read.',
      )
      return false
    }
  }
  /** One read at a time; false where it failed, or where it is too early for one. */
  const readSoon = (): Promise<boolean> => {
    if (reading !== undefined) return reading
    if (clock.monotonicMs() < nextReadMs) return Promise.resolve(false)
    reading = read().finally(() => {
      reading = undefined
    })
    return reading
  }
  return {
    async current() {
      if (keys === undefined || clock.monotonicMs() - readMs >= freshMs) await readSoon()
      if (keys !== undefined && clock.monotonicMs() - readMs < freshMs + staleMs) return keys
      throw new WeirError('IDENTITY_UNAVAILABLE', `The keys of ${name} cannot be read.`, {
        hint: 'Try again later; whoever operates Weir finds the cause in its log.',
      })
    },
    async renewed() {
      return (await readSoon()) ? keys : undefined
    },
  }
}
