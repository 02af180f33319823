import { randomUUID } from 'node:crypto'
import type { AuditDraft } from '../../core/audit.ts'
import { canonicalJson } from '../../core/canonical-json.ts'
import { isSensitiveKey } from '../../core/sensitive-key.ts'
import type { AuditChainTable } from '../database.ts'
import type { RunSql } from '../procedures.ts'
import { auditColumns, hashOfNothing, hashRow, sha256, type UnsealedRow } from './audit-row.ts'
import { cutBytes, redactText } from './redact-text.ts'

/** The most bytes that a text of a record may have. */
const bytesMax = { arguments: 2_048, words: 512, name: 512 } as const

const columns = [...auditColumns, 'hash']
const insertRow = `insert into audit_records (${columns.map((name) => `"${name}"`).join()}) values (${columns.map(() => '?').join()})`

/**
 * Chains drafts to the head of the store's chain, which is begun by the first of them. Runs where commits are serialised,
 * in a transaction that holds the database alone: two processes of one file cannot fork the chain. Secrets come as a
 * JSON array, drafts one on a line: text crosses to the thread fastest in one piece. Gives how many records the chain has.
 */
export function appendAudit(run: RunSql, [secretsText, drafts]: readonly string[]): readonly unknown[] {
  const secrets = JSON.parse(secretsText!) as readonly string[]
  const chain = findChain(run) ?? beginChain(run)
  const head = { seq: chain.head_seq, hash: chain.head_hash }
  for (const draft of drafts!.split('\n')) {
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
  run(insertRow, [...row, hash])
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

function beginChain(run: RunSql): AuditChainTable {
  const chain = randomUUID()
  const hash = hashOfNothing(chain)
  run('insert into audit_chains (chain, head_seq, head_hash, base_seq, base_hash) values (?, 0, ?, 0, ?)', [
    ...[chain, hash, hash],
  ])
  return { chain, head_seq: 0, head_hash: hash, base_seq: 0, base_hash: hash }
}

/** In the order of the columns; built as an array, because this is what every call pays on the store’s thread. */
function toRow(chain: string, seq: number, draft: AuditDraft, secrets: readonly string[]): UnsealedRow {
  const name = (value: unknown) => (typeof value === 'string' ? cutBytes(value, bytesMax.name) : null)
  const words = (value: unknown) =>
    typeof value === 'string' ? redactText(value, secrets, bytesMax.words) : null
  const { digest, text } = describeInput(draft.input, secrets)
  return [
    ...[chain, seq, draft.kind, draft.at, name(draft.call), name(draft.subject), name(draft.tenant)],
    ...[name(draft.via), words(draft.tool), name(draft.definition), name(draft.effect), digest, text],
    ...[name(draft.decision), words(draft.rule), name(draft.approval), words(draft.idempotencyKey)],
    ...[name(draft.outcome), name(draft.error), draft.durationUs ?? null, traceOf(draft.traceparent)],
    ...[words(draft.thought), words(draft.step), draft.count ?? null],
  ]
}

function describeInput(input: unknown, secrets: readonly string[]) {
  if (input === undefined) return { digest: null, text: null }
  let isRedacted = false
  const redacted = canonicalJson(input, (key) => {
    if (!isSensitiveKey(key)) return undefined
    isRedacted = true
    return '[redacted]'
  })
  return {
    digest: sha256(isRedacted ? canonicalJson(input) : redacted),
    text: redactText(redacted, secrets, bytesMax.arguments),
  }
}

/** The trace id of a `traceparent`; a malformed one names none. */
function traceOf(traceparent: unknown): string | null {
  if (typeof traceparent !== 'string' || traceparent.length > 256) return null
  return /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(traceparent)?.[1] ?? null
}
