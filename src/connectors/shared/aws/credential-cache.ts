import type { Clock } from '../../../core/clock.ts'
import type { AwsCredentials, CredentialSource } from './aws-credentials.ts'

/** How long before their end credentials are obtained anew. */
const marginMs = 5 * 60_000
/** How long credentials without an end are kept: files are rotated under us. */
const keepMs = 15 * 60_000

/** One set of credentials for all clients of a connection, so that STS is asked once and not by each of them. */
export class CredentialCache {
  readonly #source: CredentialSource
  readonly #clock: Clock
  #held: AwsCredentials | undefined
  #freshUntilMs = 0
  #obtaining: Promise<AwsCredentials> | undefined

  constructor(source: CredentialSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** Those at hand, or new ones. Where new ones cannot be had, those at hand serve until they end. */
  async get(): Promise<AwsCredentials> {
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

  /** Has the next call obtain new ones: AWS refused these. */
  expire(): void {
    this.#freshUntilMs = 0
  }

  /** The values that must never reach a caller. */
  secrets(): readonly string[] {
    const { secretAccessKey, sessionToken } = this.#held ?? {}
    return [secretAccessKey, sessionToken].flatMap((value) => (value === undefined ? [] : [value]))
  }

  #obtain(): Promise<AwsCredentials> {
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
