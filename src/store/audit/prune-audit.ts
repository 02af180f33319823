import type { RunSql } from '../procedures.ts'
import { findChain, insert, moveHead } from './append-audit.ts'
import { auditColumns } from './audit-row.ts'

/** Rows that go at once; the store's thread does nothing else meanwhile. */
const rowsAtOnce = 2_000

/**
 * Removes the oldest records: those from before `before`, and those beyond `rowsMax`. The cut is a record of the chain
 * itself, so that whoever cuts off the beginning of a chain and moves its base is found out. Gives how many went.
 */
export function pruneAudit(
  run: RunSql,
  [nowText, beforeText, rowsMaxText]: readonly string[],
): readonly unknown[] {
  const [now, before, rowsMax] = [Number(nowText), Number(beforeText), Number(rowsMaxText)]
  const chain = findChain(run)
  if (chain === undefined) return [{ removed: 0 }]
  const excess = chain.head_seq - chain.base_seq - rowsMax
  const last = Math.min(chain.base_seq + rowsAtOnce, chain.head_seq)
  const cut = Math.min(last, Math.max(chain.base_seq + excess, lastBefore(run, chain.chain, before, last)))
  if (cut <= chain.base_seq) return [{ removed: 0 }]
  const [base] = run('select hash from audit_records where chain = ? and seq = ?', [chain.chain, cut]).rows
  // A chain with holes is left as it is, for somebody to look at.
  if (base === undefined) return [{ removed: 0 }]
  const { hash } = base as { hash: string }
  const seq = chain.head_seq + 1
  const known: Readonly<Record<string, string | number>> = {
    ...{ chain: chain.chain, seq, kind: 'pruned', at: now, count: cut, digest: hash },
  }
  const row = auditColumns.map((column) => known[column] ?? null)
  moveHead(run, chain.chain, { seq, hash: insert(run, chain.head_hash, row) })
  run('update audit_chains set base_seq = ?, base_hash = ? where chain = ?', [cut, hash, chain.chain])
  run('delete from audit_records where chain = ? and seq <= ?', [chain.chain, cut])
  return [{ removed: cut - chain.base_seq }]
}

/** The last of the oldest rows that are all from before; a clock that was set back hides none behind it. */
function lastBefore(run: RunSql, chain: string, before: number, last: number): number {
  const sql = 'select min(seq) as seq from audit_records where chain = ? and seq <= ? and at >= ?'
  const [row] = run(sql, [chain, last, before]).rows as [{ seq: number | null }]
  return row.seq === null ? last : row.seq - 1
}
