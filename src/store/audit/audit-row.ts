import { hash as digestOf } from 'node:crypto'
import type { AuditChain, AuditRecord } from '../../core/audit.ts'
import type { AuditChainTable, AuditRecordTable } from '../database.ts'

/** Every column but the hash, in the order in which they are hashed. The order never changes: chains out there have it. */
export const auditColumns = [
  ...(['chain', 'seq', 'kind', 'at', 'call', 'subject', 'tenant', 'via', 'tool', 'definition'] as const),
  ...(['effect', 'digest', 'arguments', 'decision', 'rule', 'approval', 'idempotency_key'] as const),
  ...(['outcome', 'error', 'duration_us', 'trace', 'thought', 'step', 'count'] as const),
] as const

/** A row without its hash: the values of its columns, in their order. */
export type UnsealedRow = readonly (string | number | null)[]

/** The hash of a row: SHA-256 over the hash before it and all of its columns, as a JSON array. */
export function hashRow(before: string, row: UnsealedRow): string {
  return sha256(JSON.stringify([before, ...row]))
}

/** A row that was read, as it was hashed. */
export function unseal(row: AuditRecordTable): UnsealedRow {
  return auditColumns.map((column) => row[column])
}

/** What stands in for a hash before the first row: no two chains begin alike. */
export function hashOfNothing(chain: string): string {
  return sha256(JSON.stringify([chain]))
}

/** Base64url. */
export function sha256(text: string): string {
  return digestOf('sha256', text, 'base64url')
}

/** Where a chain begins and ends, as the port gives it. */
export function toChain(row: AuditChainTable): AuditChain {
  return {
    chain: row.chain,
    head: { seq: Number(row.head_seq), hash: row.head_hash },
    base: { seq: Number(row.base_seq), hash: row.base_hash },
  }
}

/** A row as the port gives it. */
export function toRecord(row: AuditRecordTable): AuditRecord {
  const { seq, at, duration_us: durationUs, idempotency_key: idempotencyKey, count, hash, ...rest } = row
  return {
    ...(rest as Pick<AuditRecord, keyof typeof rest>),
    seq: Number(seq),
    at: Number(at),
    durationUs: durationUs === null ? null : Number(durationUs),
    count: count === null ? null : Number(count),
    idempotencyKey,
    hash,
  }
}
