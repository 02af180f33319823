import { randomBytes } from 'node:crypto'
import type { ExpressionBuilder, Selectable } from 'kysely'
import type { Approval, ApprovalRequest, ApprovalState, ApprovalStore, Verdict } from '../core/approval.ts'
import type { Clock } from '../core/clock.ts'
import type { ApprovalTable, Database, Tables } from './database.ts'
import { bytesMax, requireSize } from './require-size.ts'

/** How many may wait at once. One caller must not keep the others from asking, nor hide one request among thousands. */
const pendingMax = { caller: 20, all: 1_000 }
/** What is over is kept for whoever wants to look, for a week and at most so many. */
const retentionMs = 7 * 24 * 60 * 60_000
const keptMax = 10_000
/** What is over is looked for once in so many requests. */
const sweepEvery = 64
/** As many as are listed. */
const listMax = 1_000

/** Approvals in the table `approvals`. `expired` is told from the time and never written. */
export function createApprovalStore(database: Database, clock: Clock): ApprovalStore {
  return {
    ...createAsking(database, clock),
    ...createReading(database, clock),
    ...createDeciding(database, clock),
  }
}

type Part<K extends keyof ApprovalStore> = Pick<ApprovalStore, K>

function createAsking(database: Database, clock: Clock): Part<'open' | 'note'> {
  const { query } = database
  const findSame = async (request: ApprovalRequest): Promise<Approval | undefined> => {
    const row = await query
      .selectFrom('approvals')
      .selectAll()
      .where((eb) => sameCall(eb, request))
      .where('collected_at', 'is', null)
      .orderBy('created_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row === undefined ? undefined : toApproval(row, clock.now())
  }
  let untilSweep = 0
  const sweep = async (): Promise<void> => {
    untilSweep -= 1
    if (untilSweep > 0) return
    untilSweep = sweepEvery
    await prune(database, clock.now())
  }
  const insert = async (row: ApprovalTable): Promise<boolean> => {
    await sweep()
    const { numInsertedOrUpdatedRows = 0n } = await insertBounded(database, row, clock.now())
    return numInsertedOrUpdatedRows > 0n
  }
  return {
    async open(request, expiresAt) {
      requireSizes(request)
      const standing = await findSame(request)
      if (standing !== undefined) return standing
      const row = toRow(request, clock.now(), expiresAt)
      // Another process may have asked for the same meanwhile.
      if (!(await insert(row))) return findSame(request)
      return toApproval(row, clock.now())
    },
    async note(request, verdict) {
      requireSizes(request, verdict)
      const now = clock.now()
      const row = { ...toRow(request, now, now), ...decided(verdict, now), collected_at: now }
      const state = verdict.decision === 'approved' ? 'used' : 'denied'
      await sweep()
      await query
        .insertInto('approvals')
        .values({ ...row, state })
        .execute()
      return toApproval({ ...row, state }, now)
    },
  }
}

function createReading({ query }: Database, clock: Clock): Part<'find' | 'list'> {
  return {
    async find(ids) {
      if (ids.length === 0) return []
      const rows = await query.selectFrom('approvals').selectAll().where('id', 'in', padded(ids)).execute()
      return rows.map((row) => toApproval(row, clock.now()))
    },
    async list(state) {
      const now = clock.now()
      const newest = query.selectFrom('approvals').selectAll().orderBy('created_at', 'desc').limit(listMax)
      const rows = await (state === undefined
        ? newest
        : newest.where((eb) => stands(eb, state, now))
      ).execute()
      return rows.map((row) => toApproval(row, now))
    },
  }
}

function createDeciding({ query }: Database, clock: Clock): Part<'decide' | 'use' | 'dismiss'> {
  return {
    async decide(id, verdict) {
      requireSize('What an approval is decided with', bytesMax.key, [
        verdict.by.subject,
        verdict.reason ?? '',
      ])
      const now = clock.now()
      const { numUpdatedRows } = await query
        .updateTable('approvals')
        .set(decided(verdict, now))
        .where('id', '=', id)
        .where((eb) => stands(eb, 'pending', now))
        // Nobody approves what they asked for themselves.
        .where((eb) => eb.not(eb.and({ tenant: verdict.by.tenant, subject: verdict.by.subject })))
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    async use(id) {
      const now = clock.now()
      const { numUpdatedRows } = await query
        .updateTable('approvals')
        .set({ state: 'used', collected_at: now })
        .where('id', '=', id)
        .where((eb) => stands(eb, 'approved', now))
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    async dismiss(id) {
      const now = clock.now()
      await query
        .updateTable('approvals')
        .set({ collected_at: now })
        .where('id', '=', id)
        .where('collected_at', 'is', null)
        .where((eb) => eb.or([stands(eb, 'denied', now), stands(eb, 'expired', now)]))
        .execute()
    },
  }
}

type Condition = ExpressionBuilder<Tables, 'approvals'>

/** Those that are in this state at this moment. */
function stands(eb: Condition, state: ApprovalState, now: number) {
  if (state === 'expired')
    return eb.and([eb('state', 'in', ['pending', 'approved']), eb('expires_at', '<=', now)])
  if (state === 'used' || state === 'denied') return eb('state', '=', state)
  return eb.and([eb('state', '=', state), eb('expires_at', '>', now)])
}

function sameCall(eb: Condition, { tool, definitionHash, digest, caller }: ApprovalRequest) {
  const { tenant, subject } = caller
  return eb.and({ tenant, subject, digest, tool, definition_hash: definitionHash })
}

/** One statement, so that nobody comes between counting and writing. */
function insertBounded({ query }: Database, row: ApprovalTable, now: number) {
  const columns = Object.keys(row) as (keyof ApprovalTable)[]
  const pending = query
    .selectFrom('approvals')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where((eb) => stands(eb, 'pending', now))
  const own = pending.where('tenant', '=', row.tenant).where('subject', '=', row.subject)
  const { tenant, subject, digest, tool, definition_hash } = row
  const same = query
    .selectFrom('approvals')
    .select('id')
    .where('collected_at', 'is', null)
    .where((eb) => eb.and({ tenant, subject, digest, tool, definition_hash }))
  const values = query
    .selectNoFrom((eb) => columns.map((column) => eb.val(row[column]).as(column)))
    .where((eb) =>
      eb.and([
        eb(eb.val(pendingMax.caller), '>', own),
        eb(eb.val(pendingMax.all), '>', pending),
        eb.not(eb.exists(same)),
      ]),
    )
  return query.insertInto('approvals').columns(columns).expression(values).executeTakeFirstOrThrow()
}

/** What waits or may still be used is never among what goes. */
async function prune({ query, writeTogether }: Database, now: number): Promise<void> {
  const surplus = query
    .selectFrom('approvals')
    .select('id')
    .where((eb) => eb.or([eb('collected_at', 'is not', null), eb('expires_at', '<=', now)]))
    .orderBy('created_at', 'desc')
    .limit(keptMax)
    .offset(keptMax)
  await writeTogether([
    query.deleteFrom('approvals').where('expires_at', '<', now - retentionMs),
    query.deleteFrom('approvals').where('id', 'in', surplus),
  ])
}

/** To a power of two with the last one again, so that there are few texts of statements. */
function padded(ids: readonly string[]): string[] {
  const length = 2 ** Math.ceil(Math.log2(ids.length))
  return Array.from({ length }, (_, at) => ids[Math.min(at, ids.length - 1)]!)
}

function decided({ decision, by, reason }: Verdict, now: number) {
  return { state: decision, decided_at: now, decided_by: by.subject, reason: reason ?? null }
}

function requireSizes({ tool, shown, caller }: ApprovalRequest, verdict?: Verdict): void {
  const names = [tool, caller.tenant, caller.subject, verdict?.by.subject ?? '', verdict?.reason ?? '']
  requireSize('What names an approval', bytesMax.key, names)
  requireSize('What is shown of the arguments', bytesMax.arguments, [shown])
}

function toRow(request: ApprovalRequest, now: number, expiresAt: number): ApprovalTable {
  const { tool, definitionHash, digest, shown, caller } = request
  return {
    id: randomBytes(16).toString('hex'),
    ...{ tool, digest, shown, tenant: caller.tenant, subject: caller.subject },
    ...{ definition_hash: definitionHash, state: 'pending', created_at: now, expires_at: expiresAt },
    ...{ decided_at: null, decided_by: null, reason: null, collected_at: null },
  }
}

function toApproval(row: Selectable<ApprovalTable>, now: number): Approval {
  const { id, tool, digest, shown, tenant, subject, decided_at, decided_by, reason } = row
  const expiresAt = Number(row.expires_at)
  const isOver = (row.state === 'pending' || row.state === 'approved') && expiresAt <= now
  return {
    ...{ id, tool, definitionHash: row.definition_hash, digest, shown, caller: { tenant, subject } },
    ...{
      state: (isOver ? 'expired' : row.state) as ApprovalState,
      createdAt: Number(row.created_at),
      expiresAt,
    },
    ...(decided_at === null ? {} : { decidedAt: Number(decided_at) }),
    ...(decided_by === null ? {} : { decidedBy: decided_by }),
    ...(reason === null ? {} : { reason }),
  }
}
