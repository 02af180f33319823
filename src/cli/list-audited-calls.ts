import type { AuditQuery, AuditRecord, AuditStore } from '../core/audit.ts'

/** One call, or several that were summed, as people look for it. */
export interface AuditedCall extends AuditRecord {
  /** `unknown`: it was sent, and how it ended is not in the audit. */
  readonly outcome: string
}

/** What is looked for. */
export type AuditFilter = Pick<AuditQuery, 'tool' | 'subject' | 'sinceMs'>

const pageRows = 500

/** Calls, the newest first: an intent and its outcome are one. */
export async function listAuditedCalls(
  audit: AuditStore,
  filter: AuditFilter,
  limit: number,
): Promise<readonly AuditedCall[]> {
  const calls: AuditedCall[] = []
  for (const { chain } of await audit.chains()) {
    let after: number | undefined
    while (calls.length < limit) {
      const page = await audit.read({ chain, isNewestFirst: true, limit: pageRows, after, ...filter })
      if (page.length === 0) break
      after = page.at(-1)!.seq
      calls.push(...(await joinOutcomes(audit, chain, page)))
    }
  }
  return calls.slice(0, limit)
}

async function joinOutcomes(
  audit: AuditStore,
  chain: string,
  page: readonly AuditRecord[],
): Promise<readonly AuditedCall[]> {
  const intents = page.filter(({ kind }) => kind === 'intent').map(({ call }) => call ?? '')
  const ends = new Map<string | null, AuditRecord>()
  for (let at = 0; at < intents.length; at += pageRows / 2) {
    const calls = intents.slice(at, at + pageRows / 2)
    const related = await audit.read({ chain, isNewestFirst: false, limit: 1_000, calls })
    for (const record of related) if (record.kind !== 'intent') ends.set(record.call, record)
  }
  return page.flatMap((record) => {
    if (record.kind === 'outcome') return []
    if (record.kind !== 'intent') return [{ ...record, outcome: record.outcome ?? record.kind }]
    const end = ends.get(record.call)
    // Its caller was answered before the intent was on the disk: that record says everything.
    if (end?.kind === 'call') return []
    const { outcome = null, error = null, durationUs = null } = end ?? {}
    return [{ ...record, outcome: outcome ?? 'unknown', error, durationUs }]
  })
}
