import { randomUUID } from 'node:crypto'
import type { AuditDraft } from '../../core/audit.ts'
import { canonicalJson } from '../../core/canonical-json.ts'
import type { AuditChainTable } from '../database.ts'
import type { RunSql } from '../procedures.ts'
import { auditColumns, hashOfNothing, hashRow, sha256, type UnsealedRow } from './audit-row.ts'
import { cutBytes, redactInput, redactText } from './redact-input.ts'

/** The most bytes that a text of a record may have. */
const bytesMax = { arguments: 2_048, words: 512, name: 512 } as const

const columns = [...auditColumns, 'hash']
const insertRow = `insert into audit_records (${columns.map((name) => `"${name}"`).join()}) values (${columns.map(() => '?').join()})`

/**
 * Chains drafts to the head of the store's chain, which is begun by the first of them. Runs where commits are serialised,
 * in a transaction that holds the database alone: two processes of one file cannot fork the chain. `secrets` is a JSON
 * array. Gives how many records the chain has.
 */
export function appendAudit(run: RunSql, [secretsText, ...drafts]: readonly string[]): readonly unknown[] {
  const secrets = JSON.parse(secretsText!) as readonly string[]
  const chain = findChain(run) ?? beginChain(run)
  const head = { seq: chain.head_seq, hash: chain.head_hash }
  for (const draft of drafts) {
    head.seq += 1
    head.hash = insert(run, head.hash, toRow(chain.chain, head.seq, JSON.parse(draft) as AuditDraft, secrets))
  }
  moveHead(run, chain.chain, head)
  return [{ rows: head.seq - chain.base_seq }]
}

/** The one chain of this store. */
export function findChain(run: RunSql): AuditChainTable | undefined {
  return run('select * from audit_chains order by chain limit 1', []).rows[0] as AuditChainTable | undefined
}

/** Adds a row after the one with the hash `before`; its own hash. */
export function insert(run: RunSql, before: string, row: UnsealedRow): string {
  const hash = hashRow(before, row)
  run(insertRow, [...auditColumns.map((name) => row[name]), hash])
  return hash
}

/** The chain ends at `head` from now on. */
export function moveHead(
  run: RunSql,
  chain: string,
  head: { readonly seq: number; readonly hash: string },
): void {
  run('update audit_chains set head_seq = ?, head_hash = ? where chain = ?', [head.seq, head.hash, chain])
}

/** A row of nothing but its place, kind and time. */
export function emptyRow(chain: string, seq: number, kind: string, at: number): UnsealedRow {
  const nothing = Object.fromEntries(auditColumns.map((name) => [name, null]))
  return { ...nothing, chain, seq, kind, at } as UnsealedRow
}

function beginChain(run: RunSql): AuditChainTable {
  const chain = randomUUID()
  const hash = hashOfNothing(chain)
  run('insert into audit_chains (chain, head_seq, head_hash, base_seq, base_hash) values (?, 0, ?, 0, ?)', [
    ...[chain, hash, hash],
  ])
  return { chain, head_seq: 0, head_hash: hash, base_seq: 0, base_hash: hash }
}

function toRow(chain: string, seq: number, draft: AuditDraft, secrets: readonly string[]): UnsealedRow {
  const name = (value: unknown) => (typeof value === 'string' ? cutBytes(value, bytesMax.name) : null)
  const words = (value: unknown) =>
    typeof value === 'string' ? redactText(value, secrets, bytesMax.words) : null
  const { input } = draft
  return {
    ...emptyRow(chain, seq, draft.kind, draft.at),
    call: name(draft.call),
    subject: name(draft.subject),
    tenant: name(draft.tenant),
    via: name(draft.via),
    tool: words(draft.tool),
    definition: name(draft.definition),
    effect: name(draft.effect),
    digest: input === undefined ? null : sha256(canonicalJson(input)),
    arguments: input === undefined ? null : redactInput(input, secrets, bytesMax.arguments),
    decision: name(draft.decision),
    rule: words(draft.rule),
    approval: name(draft.approval),
    idempotency_key: words(draft.idempotencyKey),
    outcome: name(draft.outcome),
    error: name(draft.error),
    duration_us: draft.durationUs ?? null,
    trace: traceOf(draft.traceparent),
    thought: words(draft.thought),
    step: words(draft.step),
    count: draft.count ?? null,
  }
}

/** The trace id of a `traceparent`; a malformed one names none. */
function traceOf(traceparent: unknown): string | null {
  if (typeof traceparent !== 'string' || traceparent.length > 256) return null
  return /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(traceparent)?.[1] ?? null
}
