import type { AuditChain, AuditCheck, AuditPlace, AuditVerdict } from '../../core/audit.ts'
import type { AuditRecordTable, Database } from '../database.ts'
import { hashOfNothing, hashRow, toChain, unseal } from './audit-row.ts'

const pageRows = 500

type Fault = NonNullable<AuditVerdict['fault']>

/** What is known while one chain is read. */
interface Progress {
  last: AuditPlace
  /** The newest cut that a record of the chain tells of. */
  cut: AuditPlace | undefined
  rows: number
  isHeadKept: boolean
}

/**
 * Reads every chain from its base to its head, page by page, while others go on writing and pruning, and stops at the
 * first row that is not as it was written.
 */
export async function verifyAudit(
  database: Database,
  { head, onProgress }: AuditCheck,
): Promise<AuditVerdict> {
  const chains: AuditChain[] = []
  let rows = 0
  let isHeadKept = false
  const verdict = (fault?: Fault): AuditVerdict => ({
    chains,
    rows,
    ...(fault === undefined ? {} : { fault }),
    ...(head === undefined ? {} : { isHeadKept }),
  })
  const names = await database.query.selectFrom('audit_chains').select('chain').orderBy('chain').execute()
  for (const { chain } of names) {
    const found = await verifyChain(database, chain, (progress) => {
      if (progress.last.hash === head) progress.isHeadKept = true
      onProgress?.(rows + progress.rows)
    })
    rows += found.progress.rows
    isHeadKept ||= found.progress.isHeadKept
    if (found.state !== undefined) chains.push(found.state)
    if (found.fault !== undefined) return verdict(found.fault)
  }
  return verdict(await findStray(database))
}

async function verifyChain(database: Database, chain: string, onRow: (progress: Progress) => void) {
  let state = await readChain(database, chain)
  const progress: Progress = { last: state!.base, cut: undefined, rows: 0, isHeadKept: false }
  const end = (fault?: Fault) => ({ state, progress, fault })
  onRow(progress)
  for (;;) {
    const page = await readPage(database, chain, progress.last.seq)
    for (const row of page) {
      if (Number(row.seq) !== progress.last.seq + 1) {
        state = await readChain(database, chain)
        // Between two pages, Weir itself may have removed what was to be read next.
        if (state === undefined || state.base.seq <= progress.last.seq) return end(missing(chain, progress))
        progress.last = state.base
        break
      }
      const fault = takeRow(row, progress)
      onRow(progress)
      if (fault !== undefined) return end(fault)
    }
    if (page.length > 0) continue
    // Read after the rows: what is there now has been read, or it is not there.
    state = await readChain(database, chain)
    if (state === undefined)
      return end({ chain, seq: progress.last.seq, what: 'the head of the chain is missing' })
    if (
      state.head.seq <= progress.last.seq ||
      (await readPage(database, chain, progress.last.seq)).length === 0
    )
      return end(checkEnds(state, progress))
  }
}

function takeRow(row: AuditRecordTable, progress: Progress): Fault | undefined {
  const { chain, seq, hash, kind } = row
  if (hashRow(progress.last.hash, unseal(row)) !== hash) {
    return { chain, seq, what: `record ${seq} is not what was written there: changed, moved or put in` }
  }
  progress.last = { seq: Number(seq), hash }
  progress.rows += 1
  if (kind === 'pruned') progress.cut = { seq: Number(row.count), hash: row.digest ?? '' }
  return undefined
}

function checkEnds({ chain, head, base }: AuditChain, { last, cut }: Progress): Fault | undefined {
  if (head.seq > last.seq) return missing(chain, { last })
  if (head.seq < last.seq) {
    return { chain, seq: head.seq + 1, what: `record ${head.seq + 1} was added behind the head of the chain` }
  }
  if (head.hash !== last.hash) {
    return {
      chain,
      seq: head.seq,
      what: `record ${head.seq} is not the one that the head of the chain names`,
    }
  }
  const isWhole = base.seq === 0 && base.hash === hashOfNothing(chain)
  if (isWhole || (cut?.seq === base.seq && cut.hash === base.hash)) return undefined
  return { chain, seq: base.seq, what: `records up to ${base.seq} were cut off, and not by Weir` }
}

function missing(chain: string, { last }: Pick<Progress, 'last'>): Fault {
  return { chain, seq: last.seq + 1, what: `record ${last.seq + 1} is missing` }
}

/** Rows that no chain leads to: of a chain without a head, or from before a chain’s base. */
async function findStray({ query }: Database): Promise<Fault | undefined> {
  const row = await query
    .selectFrom('audit_records')
    .leftJoin('audit_chains', 'audit_chains.chain', 'audit_records.chain')
    .select(['audit_records.chain', 'audit_records.seq'])
    .where((eb) => eb.or([eb('base_seq', 'is', null), eb('audit_records.seq', '<=', eb.ref('base_seq'))]))
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { chain, seq } = row
  return {
    chain,
    seq: Number(seq),
    what: `record ${seq} belongs to no chain: it was put in, or its head is gone`,
  }
}

async function readChain({ query }: Database, chain: string): Promise<AuditChain | undefined> {
  const row = await query.selectFrom('audit_chains').selectAll().where('chain', '=', chain).executeTakeFirst()
  return row === undefined ? undefined : toChain(row)
}

function readPage({ query }: Database, chain: string, after: number): Promise<AuditRecordTable[]> {
  return query
    .selectFrom('audit_records')
    .selectAll()
    .where('chain', '=', chain)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(pageRows)
    .execute()
}
