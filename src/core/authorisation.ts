/** Whose credential: a caller's own, or Weir's, which is `''` twice. Every Caller is one. */
export interface CredentialOwner {
  readonly tenant: string
  readonly subject: string
}

/** Weir itself, where nobody in particular asks. */
export const weirItself: CredentialOwner = Object.freeze({ tenant: '', subject: '' })

/** Somebody who can be sent to a page where they agree, and who comes back with its answer. */
export interface Person {
  /** Gets ready to take them in again. */
  meet(at?: MeetingPoint): Promise<Visit>
}

/** A port of this machine: where they were expected the last time, or, where it is fixed, have to be. */
export interface MeetingPoint {
  readonly port: number
  readonly isFixed: boolean
}

/** One trip to one page. */
export interface Visit {
  /** Where the page sends them when they are done. */
  readonly redirectUri: string
  /** Sends them there; gives the query they came back with, whose `state` is the one in `url`. */
  go(url: string, signal: AbortSignal): Promise<URLSearchParams>
  /** Expects nobody any more. Safe to call twice. */
  close(): Promise<void>
}

/** One credential that Weir keeps, without what is secret in it. */
export interface GrantStatus extends CredentialOwner {
  readonly issuer: string
  readonly scopes: readonly string[]
  /** `expired`: nothing but a person can renew it. */
  readonly state: 'valid' | 'renewable' | 'expired'
  /** Wall-clock milliseconds; absent where the issuer did not say. */
  readonly expiresAt?: number
}

/** How one connection gets credentials that a person has to agree to. Every method rejects with UPSTREAM_AUTH where it cannot. */
export interface Authorisation {
  /** Whether every caller has a credential of their own. */
  readonly isPerCaller: boolean
  /** Asks the person, keeps what comes of it, and tries it: resolves with how many targets the connection offers with it. */
  authorise(request: AuthorisationRequest): Promise<number>
  status(): Promise<readonly GrantStatus[]>
  /** Gives credentials back, tells their issuer if it takes that, and forgets them; resolves with what was forgotten. */
  revoke(owner: CredentialOwner, signal: AbortSignal): Promise<readonly GrantStatus[]>
  /** Lets go of its sockets. Safe to call twice. */
  close(): Promise<void>
}

/** Who agrees to what. */
export interface AuthorisationRequest {
  readonly owner: CredentialOwner
  readonly person: Person
  /** Beside those that the configuration or the system asks for. */
  readonly scopes: readonly string[]
  readonly signal: AbortSignal
}
