import type { Compilable, Kysely } from 'kysely'

/**
 * The tables, as the newest migration leaves them. Times and versions are whole numbers; a driver may hand them back as
 * text where its database counts further than JavaScript does, so readers convert.
 */
export interface Tables {
  readonly pins: PinTable
  readonly credentials: CredentialTable
  readonly remembered_targets: RememberedTargetsTable
  readonly approvals: ApprovalTable
  readonly idempotency_keys: IdempotencyTable
}

/** Definitions of upstreams, as they were seen and decided on. */
export interface PinTable {
  readonly connection: string
  readonly kind: string
  readonly name: string
  readonly decision: string
  readonly hash: string
  readonly definition: string
  readonly seen_at: number
  readonly decided_at: number | null
  readonly decided_by: string | null
}

/** Secrets; `sealed` is all there is of their values. */
export interface CredentialTable {
  readonly connection: string
  readonly tenant: string
  readonly subject: string
  readonly issuer: string
  readonly kind: string
  readonly sealed: string
  readonly version: number
}

/** What a connection offered when it was last up. */
export interface RememberedTargetsTable {
  readonly connection: string
  readonly fingerprint: string
  readonly targets: string
  readonly notes: string
  readonly seen_at: number
}

/** Calls that wait, or waited, for somebody to agree. */
export interface ApprovalTable {
  readonly id: string
  readonly tool: string
  readonly definition_hash: string
  readonly digest: string
  readonly shown: string
  readonly tenant: string
  readonly subject: string
  /** Never `expired`: that is a matter of the time. */
  readonly state: string
  readonly created_at: number
  readonly expires_at: number
  readonly decided_at: number | null
  readonly decided_by: string | null
  readonly reason: string | null
  /** When its requester heard of its end; null while it stands for the same call. */
  readonly collected_at: number | null
}

/** Keys that calls were made under. */
export interface IdempotencyTable {
  readonly tenant: string
  readonly subject: string
  readonly key: string
  readonly tool: string
  readonly digest: string
  readonly state: string
  readonly token: string
  readonly outcome: string | null
  readonly lost_at: number
  readonly expires_at: number
}

/**
 * A database of any kind, as the tables' own files see it. There are no interactive transactions: they would hold up
 * everybody else's commit while their owner thinks. What must happen together is given together.
 */
export interface Database {
  /** Builds queries. One that changes something is durable when its promise resolves. */
  readonly query: Kysely<Tables>
  /** Runs queries in their order, all or none; durable when it resolves. */
  writeTogether(queries: readonly Compilable[]): Promise<void>
  /** Ends what is under way and lets go. Safe to call twice. */
  close(): Promise<void>
}
