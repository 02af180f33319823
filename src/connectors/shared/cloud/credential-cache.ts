import type { Clock } from '../../../core/clock.ts'

/** Anything that is proof of who asks, and may end. */
export interface EndingCredentials {
  /** When they end; absent: nobody knows. */
  readonly expiration?: Date
}

/** How long before their end credentials are obtained anew. */
const marginMs = 5 * 60_000
/** How long credentials without an end are kept: files are rotated under us. */
const keepMs = 15 * 60_000

/** One set of credentials for all clients of a connection, so that who issues them is asked once and not by each of them. */
export class CredentialCache<Credentials extends EndingCredentials> {
  readonly #source: () => Promise<Credentials>
  readonly #clock: Clock
  #held: Credentials | undefined
  #freshUntilMs = 0
  #obtaining: Promise<Credentials> | undefined

  constructor(source: () => Promise<Credentials>, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** Those at hand, or new ones. Where new ones cannot be had, those at hand serve until they end. */
  async get(): Promise<Credentials> {
    const now = this.#clock.now()
    if (this.#held !== undefined && now < this.#freshUntilMs) return this.#held
    try {
      return await this.#obtain()
    } catch (thrown) {
      const held = this.#held
      if (held?.expiration !== undefined && now < held.expiration.getTime()) return held
      throw thrown
    }
  }

  /** Has the next call obtain new ones: these were refused. */
  expire(): void {
    this.#freshUntilMs = 0
  }

  /** The last that were obtained, ended or not. */
  get held(): Credentials | undefined {
    return this.#held
  }

  #obtain(): Promise<Credentials> {
    this.#obtaining ??= this.#source()
      .then((credentials) => {
        this.#held = credentials
        const endsMs = credentials.expiration?.getTime()
        const now = this.#clock.now()
        this.#freshUntilMs = endsMs === undefined ? now + keepMs : endsMs - marginMs
        return credentials
      })
      .finally(() => {
        this.#obtaining = undefined
      })
    return this.#obtaining
  }
}
