import type { CredentialOwner, Person } from '../../../core/authorisation.ts'
import { Cancellation, type StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { abandonOn } from '../../shared/abandon-on.ts'
import type { Credential, Refusal } from '../transport/credential.ts'
import { authError, needsPerson } from './auth-error.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import type { Held } from './credential-shelf.ts'
import type { OAuthParts } from './oauth-parts.ts'
import { type Obtained, type Occasion, obtainAsClient, obtainFromPerson } from './obtain-tokens.ts'
import { refreshTokens } from './refresh-tokens.ts'

/** What another process wrote or took back is seen after this much (R15: within 5 s). */
const rereadMs = 4_000
/** Tokens are renewed this much before they expire, and never before four fifths of their life. */
const renewEarlyMs = 60_000
/** A token that has at least this much left is used while it is being renewed. */
const marginMs = 5_000
/** A token that is refused so soon after it was issued is not wrong because it is old. */
const newMs = 5_000
const restAfterFailureMs = 1_000

/** One owner of tokens for one server. */
export interface TokenKeeperOptions extends OAuthParts {
  readonly owner: CredentialOwner
  /** Who agrees where that is needed; without one the error names the command that asks. */
  readonly person?: Person | undefined
}

/** One owner's tokens, from the store or obtained; renewed once for everybody who needs them. */
export class TokenKeeper implements Credential {
  readonly #options: TokenKeeperOptions
  readonly #closing = new Cancellation()
  #held: Held | undefined
  #header: string | undefined
  #readAtMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  #renewing: Promise<void> | undefined
  #widening: Promise<void> | undefined
  #failure: { readonly error: unknown; readonly atMs: number } | undefined
  /** What the server last asked for, for grants that are asked for again without a person. */
  #challenge: Challenge | undefined

  constructor(options: TokenKeeperOptions) {
    this.#options = options
  }

  header(stop: StopSignal): string | undefined | Promise<string | undefined> {
    if (!this.#isStale() && !this.#isDue(renewEarlyMs)) return this.#header
    return this.#prepare(stop)
  }

  isRefusal({ status, headers }: Refusal): boolean {
    if (status === 401) return true
    return status === 403 && parseChallenge(headers['www-authenticate'])?.error === 'insufficient_scope'
  }

  async renew({ status, headers }: Refusal, used: string | undefined, stop: StopSignal): Promise<void> {
    const challenge = parseChallenge(headers['www-authenticate'])
    this.#challenge = challenge ?? this.#challenge
    if (used === this.#header) await abandonOn(stop, this.#read())
    // Somebody else has seen to it since the request was sent.
    if (used !== this.#header) return
    const isStepUp = status === 403 && this.#held !== undefined
    const work = isStepUp ? this.#widen(challenge) : this.#once(() => this.#replace(challenge, status))
    await abandonOn(stop, work)
  }

  close(): void {
    this.#closing.cancel(
      new WeirError('CONNECTION_UNAVAILABLE', 'The connection to the MCP server was closed.'),
    )
  }

  #isStale(): boolean {
    const { shelf, clock } = this.#options
    return shelf !== undefined && clock.monotonicMs() - this.#readAtMs > rereadMs
  }

  /** Whether the token has less than that much left, or less than a fifth of its life. */
  #isDue(earlyMs: number): boolean {
    const { expiresAt, obtainedAt = 0 } = this.#held?.tokens ?? {}
    if (expiresAt === undefined) return false
    return this.#options.clock.now() >= expiresAt - Math.min(earlyMs, (expiresAt - obtainedAt) / 5)
  }

  #canRenew(): boolean {
    const { tokens } = this.#held ?? {}
    return tokens?.refreshToken !== undefined || this.#options.auth.grant === 'client_credentials'
  }

  async #prepare(stop: StopSignal): Promise<string | undefined> {
    // A server that wants no token must not be kept from serving by the store; one that does refuses, and then it is told.
    if (this.#isStale())
      await abandonOn(
        stop,
        this.#read().catch(() => {}),
      )
    if (!this.#isDue(renewEarlyMs) || !this.#canRenew()) return this.#header
    const renewing = this.#once(() => this.#refresh())
    if (this.#isDue(marginMs)) await abandonOn(stop, renewing)
    else renewing.catch(() => {})
    return this.#header
  }

  /** Looks into the store again. While that is out of order, what was read before goes on (R16). */
  #read(): Promise<void> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined
      this.#readAtMs = this.#options.clock.monotonicMs()
    })
    return this.#reading
  }

  async #readNow(): Promise<void> {
    const { shelf, owner, auth, log } = this.#options
    if (shelf === undefined) return
    try {
      this.#adopt(await shelf.find(owner, auth.issuer))
    } catch (error) {
      log.warn({ error }, 'The store did not say whether there is a token.')
      if (this.#held === undefined) throw error
    }
  }

  #adopt(held: Held | undefined): void {
    this.#held = held
    this.#header = held === undefined ? undefined : `Bearer ${held.tokens.accessToken}`
  }

  /** One piece of work on the tokens at a time, for all who wait; after a failure it rests a little. */
  #once(work: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#options
    const failure = this.#failure
    if (failure !== undefined && clock.monotonicMs() - failure.atMs < restAfterFailureMs)
      return Promise.reject(failure.error)
    this.#renewing ??= work()
      .then(
        () => {
          this.#failure = undefined
        },
        (error: unknown) => {
          this.#failure = { error, atMs: clock.monotonicMs() }
          log.warn({ error }, 'There is no new token for the MCP server.')
          throw error
        },
      )
      .finally(() => {
        this.#renewing = undefined
      })
    return this.#renewing
  }

  /** One step up at a time. Its failure concerns the calls that need more, and no other. */
  #widen(challenge: Challenge | undefined): Promise<void> {
    this.#widening ??= this.#stepUp(challenge).finally(() => {
      this.#widening = undefined
    })
    return this.#widening
  }

  async #refresh(): Promise<void> {
    const { shelf } = this.#options
    const held = this.#held
    if (held === undefined) return
    if (this.#options.auth.grant === 'client_credentials' || shelf === undefined) {
      return this.#obtain({ challenge: this.#challenge, scopes: held.tokens.requested })
    }
    this.#adopt(await refreshTokens({ ...this.#options, shelf }, held, this.#closing))
  }

  async #replace(challenge: Challenge | undefined, status: number): Promise<void> {
    const { auth, person, clock } = this.#options
    const held = this.#held
    const isNew = held !== undefined && clock.now() - held.tokens.obtainedAt < newMs
    if (held !== undefined && !isNew && held.tokens.refreshToken !== undefined) {
      if (person === undefined) return this.#refresh()
      if (
        await this.#refresh().then(
          () => true,
          () => false,
        )
      )
        return
    }
    const isOwn = auth.grant === 'client_credentials'
    if (isOwn && isNew) throw this.#refused(held)
    if (isOwn || person !== undefined)
      return this.#obtain({ challenge, scopes: held?.tokens.requested ?? [] })
    const why = held === undefined ? 'Weir has none' : 'it refused the one that Weir has'
    throw this.#needsPerson(`The MCP server answered ${status}: it asks for an OAuth token, and ${why}.`)
  }

  /** The token is good, and not for this. Scopes that were asked for once are not asked for again. */
  async #stepUp(challenge: Challenge | undefined): Promise<void> {
    const { auth, person } = this.#options
    const requested = this.#held?.tokens.requested ?? []
    const missing = (challenge?.scopes ?? []).filter((scope) => !requested.includes(scope))
    const wanted = (challenge?.scopes ?? []).join(' ')
    if (missing.length === 0) {
      throw authError(
        `The MCP server wants the scopes ${JSON.stringify(wanted)}, which were asked for and not granted.`,
        {
          hint: 'Have them granted to this client, or to the person who agreed, at the authorization server.',
          data: { scopes: challenge?.scopes ?? [] },
        },
      )
    }
    if (auth.grant === 'client_credentials' || person !== undefined) {
      return this.#obtain({ challenge, scopes: requested })
    }
    throw this.#needsPerson(
      `The MCP server wants the scopes ${JSON.stringify(wanted)}, which the token does not have.`,
      missing,
    )
  }

  async #obtain(occasion: Occasion): Promise<void> {
    const { auth, person, owner, shelf } = this.#options
    const signal = this.#closing.signal
    if (auth.grant === 'client_credentials')
      await this.keep(await obtainAsClient(this.#options, occasion, signal))
    else if (person !== undefined)
      await this.keep(await obtainFromPerson(this.#options, person, occasion, signal))
    else
      throw this.#needsPerson(
        `Weir keeps ${shelf === undefined ? 'nothing' : 'no token'} for ${owner.subject}.`,
      )
  }

  /** Takes new tokens into use and into the store, where those of other issuers have had their time. */
  async keep({ issuer, tokens }: Obtained): Promise<void> {
    const { shelf, owner } = this.#options
    if (shelf === undefined) return this.#adopt({ issuer, tokens, version: 0 })
    await shelf.put(owner, issuer, tokens)
    for (const other of await shelf.list(owner)) {
      if (other.issuer !== issuer) await shelf.remove(owner, other.issuer)
    }
    await this.#readNow()
  }

  #refused({ issuer }: Held): WeirError {
    return authError(`The MCP server refused a token that ${issuer} had issued just before.`, {
      hint: 'Check the scopes, and that the authorization server issues tokens for this server (`resource`).',
    })
  }

  #needsPerson(message: string, scopes: readonly string[] = []): WeirError {
    const { connection, owner, auth, shelf } = this.#options
    if (shelf === undefined) {
      return authError(message, {
        hint: 'This Weir keeps no credentials. Put a token under `headers`, or configure a store and run `weir auth`.',
      })
    }
    return needsPerson(message, { connection, owner, isPerCaller: auth.per === 'caller', scopes })
  }
}
