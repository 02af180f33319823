import type { ApprovalStore } from './approval.ts'
import type { AuditStore } from './audit.ts'
import type { IdempotencyStore } from './idempotency.ts'

/**
 * What outlives the process, by the part that needs it. Every promise here resolves after the change is durable, and
 * rejects where it may not be: with STORE_UNAVAILABLE where waiting helps, STORE_UNUSABLE where an operator has to. The
 * error's `data.outcome` is `not-done` where that is certain and `unknown` where it is not. Nothing in these ports says
 * which database stands behind them.
 */
export interface Stores {
  readonly pins: PinStore
  readonly credentials: CredentialStore
  readonly targets: TargetStore
  readonly audit: AuditStore
  readonly apiKeys: ApiKeyStore
  readonly approvals: ApprovalStore
  readonly idempotency: IdempotencyStore
  /** Writes what is under way and lets go. Safe to call twice. */
  close(): Promise<void>
}

/** What an operator, or the first sight of it, decided about one definition. */
export type PinDecision = 'approved' | 'quarantined'

/** One definition of an upstream as it was seen (S13). */
export interface Pin {
  readonly connection: string
  /** `tool`, `resource`, `resource-template` or `prompt`. */
  readonly kind: string
  readonly name: string
  /** SHA-256 of the canonical definition, base64url. */
  readonly hash: string
  /** The canonical definition itself, as JSON text, so that a change can be shown as a diff. */
  readonly definition: string
  readonly decision: PinDecision
  /** When it was first seen, and when and by whom it was decided on; wall-clock milliseconds. */
  readonly seenAt: number
  readonly decidedAt?: number
  readonly decidedBy?: string
}

/** Definitions by connection, kind, name and hash: at most one approved and one quarantined hash of each name. */
export interface PinStore {
  /** Of one connection, or of all; by connection, kind and name. */
  list(connection?: string): Promise<readonly Pin[]>
  /** Writes all or none. A pin of the same connection, kind, name and decision is replaced. */
  put(pins: readonly Pin[]): Promise<void>
  /** Deletes all or none; those that are not there are passed over. */
  remove(pins: readonly Pick<Pin, 'connection' | 'kind' | 'name' | 'decision'>[]): Promise<void>
}

/** Whose credential for what. */
export interface CredentialKey {
  readonly connection: string
  /** The caller's tenant and subject, or `''` twice for the gateway's own. */
  readonly tenant: string
  readonly subject: string
  /** The authorization server that issued it: a credential is never shown to another. */
  readonly issuer: string
  /** What it is: `client` (a registration), `tokens`. */
  readonly kind: string
}

/** A secret as it is kept; encrypted at rest. `version` grows with every change. */
export interface Credential {
  readonly value: string
  readonly version: number
}

/** Secrets that Weir obtained itself. */
export interface CredentialStore {
  get(key: CredentialKey): Promise<Credential | undefined>
  /** Of one connection; values are not read. */
  list(connection: string): Promise<readonly CredentialKey[]>
  /**
   * Writes, and says whether it did: with `ifVersion` only where that is still the version (0: where there is none),
   * so that two processes that refresh one token do not undo each other.
   */
  put(key: CredentialKey, value: string, ifVersion?: number): Promise<boolean>
  remove(key: CredentialKey): Promise<void>
}

/** What a connection offered when it was last up. */
export interface RememberedTargets {
  /** Of the connection's configuration: what another one offered is not this one's. */
  readonly fingerprint: string
  /** The targets as JSON text, in the catalog's own form. */
  readonly targets: string
  /** What the connector wants to know again, such as the protocol era it found. */
  readonly notes: Readonly<Record<string, string>>
  readonly seenAt: number
}

/** Last-known targets by connection. */
export interface TargetStore {
  recall(connection: string): Promise<RememberedTargets | undefined>
  remember(connection: string, remembered: RememberedTargets): Promise<void>
  forget(connection: string): Promise<void>
}

/** One secret that a program proves itself with, without the secret (D2-091). A key that is rotated has two of one id for a while. */
export interface ApiKey {
  /** SHA-256 of the secret, as hexadecimal. */
  readonly hash: string
  /** Names the caller, whatever its secret is at the time. */
  readonly id: string
  readonly name: string
  readonly roles: readonly string[]
  readonly tenant: string
  /** Wall-clock milliseconds, as `endsAt`. */
  readonly createdAt: number
  readonly createdBy: string
  /** From when on it is refused; absent: it holds until somebody ends it. */
  readonly endsAt?: number
}

/** Keys of callers. */
export interface ApiKeyStore {
  /** All of them, those that have ended too; the oldest first. */
  list(): Promise<readonly ApiKey[]>
  /** Writes all or none. A key of the same hash is replaced. */
  put(keys: readonly ApiKey[]): Promise<void>
  /** Deletes all or none, by hash. */
  remove(hashes: readonly string[]): Promise<void>
}
