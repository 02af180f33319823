import { sql } from 'kysely'
import type { AuditQuery, AuditStore } from '../../core/audit.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Database } from '../database.ts'
import { toChain, toRecord } from './audit-row.ts'
import { verifyAudit } from './verify-audit.ts'

/** How much of the audit is kept: what is older goes, and what is more. */
export interface AuditRetention {
  readonly keepMs: number
  readonly rowsMax: number
}

/** What the tables of the audit are kept with. */
export interface AuditStoreOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  readonly retention: AuditRetention
  /** What is never written, wherever it stands in what callers send. */
  readonly secrets: () => readonly string[]
}

/** Ninety days, and as many records as fit into the store’s file whatever they hold. */
export const defaultRetention: AuditRetention = { keepMs: 90 * 24 * 3_600_000, rowsMax: 1_000_000 }

const pruneEveryMs = 3_600_000
/** Above `rowsMax` by this before it is looked at: the cut is a record itself, and one in a thousand costs nothing. */
const excessRows = 1_000
const pageRowsMax = 1_000

/** The audit in the tables `audit_chains` and `audit_records`. */
export function createAuditStore(options: AuditStoreOptions): AuditStore {
  const { database, secrets } = options
  const { query } = database
  const retention = createRetention(options)
  let secretsText = '[]'
  let secretsKnown: readonly string[] = []
  const chains = async () => (await query.selectFrom('audit_chains').selectAll().execute()).map(toChain)

  const store: AuditStore = {
    async append(drafts) {
      if (drafts.length === 0) return
      const known = secrets()
      if (known !== secretsKnown) {
        secretsKnown = known
        secretsText = JSON.stringify(known)
      }
      const [added] = await database.call('append-audit', [secretsText, drafts.join('\n')])
      retention.note((added as { rows: number }).rows)
    },
    chains,
    async read({ chain, isNewestFirst, after, limit, tool, subject, sinceMs, calls }: AuditQuery) {
      let chosen = query.selectFrom('audit_records').selectAll().where('chain', '=', chain)
      if (after !== undefined) chosen = chosen.where('seq', isNewestFirst ? '<' : '>', after)
      if (tool !== undefined) chosen = chosen.where(sql<boolean>`tool like ${toLike(tool)} escape '\\'`)
      if (subject !== undefined) chosen = chosen.where('subject', '=', subject)
      if (sinceMs !== undefined) chosen = chosen.where('at', '>=', sinceMs)
      if (calls !== undefined) chosen = chosen.where('call', 'in', [...calls])
      const rows = await chosen
        .orderBy('seq', isNewestFirst ? 'desc' : 'asc')
        .limit(Math.min(limit, pageRowsMax))
        .execute()
      return rows.map(toRecord)
    },
    verify: (check) => verifyAudit(database, check),
  }
  return store
}

/** Removes what need not be kept, behind what is added; a store that nobody adds to keeps what it has. */
function createRetention({ database, clock, log, retention: { keepMs, rowsMax } }: AuditStoreOptions) {
  let prunedMs = Number.NEGATIVE_INFINITY
  let isPruning = false
  const prune = async () => {
    for (;;) {
      const now = clock.now()
      const [done] = await database.call('prune-audit', [now, now - keepMs, rowsMax].map(String))
      if ((done as { removed: number }).removed === 0) return
    }
  }
  return {
    note(rows: number): void {
      const nowMs = clock.monotonicMs()
      if (isPruning || (rows < rowsMax + excessRows && nowMs - prunedMs < pruneEveryMs)) return
      isPruning = true
      prunedMs = nowMs
      prune()
        .catch((error) => log.warn({ event: 'audit.prune', error }, 'Old records of the audit stay.'))
        .finally(() => {
          isPruning = false
        })
    },
  }
}

function toLike(pattern: string): string {
  return pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%')
}
