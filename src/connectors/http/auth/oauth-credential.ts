import { Cancellation, type StopSignal } from '../../../core/cancellation.ts'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { EgressClient } from '../../../egress/egress.ts'
import { abandonOn } from '../../shared/abandon-on.ts'
import type { OAuthConfig } from './auth-config.ts'
import type { Credential, CredentialHeader } from './credential.ts'
import { requestToken } from './request-token.ts'

/** A token is renewed this much before it expires, and never before four fifths of its life. */
const renewEarlyMs = 60_000
/** A token that has at least this much left is used while the next one is on its way. */
const marginMs = 5_000
/** A token that is refused so soon after it was issued is not wrong because it is old. */
const newMs = 10_000
const restAfterFailureMs = 1_000

/** What one credential is built from. */
export interface OAuthCredentialOptions {
  readonly apiName: string
  readonly oauth: OAuthConfig
  /** Reaches the token endpoint and nothing else. */
  readonly client: EgressClient
  readonly clock: Clock
  /** Told of every token before it is used, so that it can be covered in what the API answers. */
  readonly onToken: (token: string) => void
}

interface Held {
  readonly header: CredentialHeader
  readonly obtainedAt: number
  readonly expiresAt: number
  readonly lifetimeMs: number
}

/** The token of one API (D0-034): kept until shortly before it expires, obtained once for all calls that wait for it. */
export class OAuthCredential implements Credential {
  readonly headerName = 'authorization'
  readonly #options: OAuthCredentialOptions
  readonly #closing = new Cancellation()
  #held: Held | undefined
  #obtaining: Promise<void> | undefined
  #failure: { readonly error: unknown; readonly atMs: number } | undefined

  constructor(options: OAuthCredentialOptions) {
    this.#options = options
  }

  header(stop: StopSignal): CredentialHeader | Promise<CredentialHeader> {
    const held = this.#held
    if (held === undefined || this.#isDue(held, marginMs)) return this.#wait(stop)
    // Whoever needs the next token waits for it, or is told why there is none.
    if (this.#isDue(held, renewEarlyMs)) this.#obtain().catch(() => {})
    return held.header
  }

  async renew(used: CredentialHeader, stop: StopSignal): Promise<boolean> {
    const held = this.#held
    // Another call has seen to it since this one was sent.
    if (held !== undefined && held.header.value !== used.value) return true
    if (held !== undefined && this.#options.clock.now() - held.obtainedAt < newMs) return false
    await this.#wait(stop)
    return true
  }

  async check(signal: AbortSignal): Promise<void> {
    const { client, oauth } = this.#options
    await client.request(oauth.tokenUrl, {
      method: 'HEAD',
      redirect: 'manual',
      isCheck: true,
      signal,
      totalTimeoutMs: 5_000,
    })
  }

  async close(): Promise<void> {
    this.#closing.cancel(new WeirError('CONNECTION_UNAVAILABLE', 'The connection was closed by Weir.'))
    await this.#options.client.close()
  }

  #isDue({ expiresAt, lifetimeMs }: Held, earlyMs: number): boolean {
    return this.#options.clock.now() >= expiresAt - Math.min(earlyMs, lifetimeMs / 5)
  }

  async #wait(stop: StopSignal): Promise<CredentialHeader> {
    await abandonOn(stop, this.#obtain())
    return this.#held!.header
  }

  /** One request at a time, for all who wait; after a failure the endpoint rests a little. */
  #obtain(): Promise<void> {
    const { clock } = this.#options
    const failure = this.#failure
    if (failure !== undefined && clock.monotonicMs() - failure.atMs < restAfterFailureMs) {
      return Promise.reject(failure.error)
    }
    this.#obtaining ??= this.#request().finally(() => {
      this.#obtaining = undefined
    })
    return this.#obtaining
  }

  async #request(): Promise<void> {
    const { apiName, oauth, client, clock, onToken } = this.#options
    try {
      const { accessToken, lifetimeMs } = await requestToken(apiName, oauth, client, this.#closing)
      onToken(accessToken)
      const obtainedAt = clock.now()
      const header = { name: this.headerName, value: `Bearer ${accessToken}` }
      this.#held = { header, obtainedAt, lifetimeMs, expiresAt: obtainedAt + lifetimeMs }
      this.#failure = undefined
    } catch (error) {
      this.#failure = { error, atMs: clock.monotonicMs() }
      throw error
    }
  }
}
