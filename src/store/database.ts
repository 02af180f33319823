import type { Compilable, Kysely } from 'kysely'
import type { ProcedureName } from './procedures.ts'

/**
 * The tables, as the newest migration leaves them. Times and versions are whole numbers; a driver may hand them back as
 * text where its database counts further than JavaScript does, so readers convert.
 */
export interface Tables {
  readonly pins: PinTable
  readonly credentials: CredentialTable
  readonly remembered_targets: RememberedTargetsTable
  readonly audit_chains: AuditChainTable
  readonly audit_records: AuditRecordTable
  readonly api_keys: ApiKeyTable
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

/** Where each chain of the audit begins and ends. */
export interface AuditChainTable {
  readonly chain: string
  readonly head_seq: number
  readonly head_hash: string
  readonly base_seq: number
  readonly base_hash: string
}

/** What was done, each row bound to the one before by its hash. */
export interface AuditRecordTable {
  readonly chain: string
  readonly seq: number
  readonly kind: string
  readonly at: number
  readonly call: string | null
  readonly subject: string | null
  readonly tenant: string | null
  readonly via: string | null
  readonly tool: string | null
  readonly definition: string | null
  readonly effect: string | null
  readonly digest: string | null
  readonly arguments: string | null
  readonly decision: string | null
  readonly rule: string | null
  readonly approval: string | null
  readonly idempotency_key: string | null
  readonly outcome: string | null
  readonly error: string | null
  readonly duration_us: number | null
  readonly trace: string | null
  readonly thought: string | null
  readonly step: string | null
  readonly count: number | null
  readonly hash: string
}

/** Keys of callers; `roles` is a JSON list. */
export interface ApiKeyTable {
  readonly hash: string
  readonly id: string
  readonly name: string
  readonly roles: string
  readonly tenant: string
  readonly created_at: number
  readonly created_by: string
  readonly ends_at: number | null
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
  /** Runs a procedure as one change: where commits are serialised, all or none; durable when it resolves. */
  call(procedure: ProcedureName, parameters: readonly string[]): Promise<readonly unknown[]>
  /** Ends what is under way and lets go. Safe to call twice. */
  close(): Promise<void>
}
