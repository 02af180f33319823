import type { Kysely } from 'kysely'
import { WeirError } from '../../core/error.ts'
import { firstTables } from './0001-first-tables.ts'
import { auditTables } from './0002-audit.ts'
import { approvals } from './0003-approvals.ts'
import { apiKeys } from './0004-api-keys.ts'

/** Every migration by its name, oldest first. One that was released is never changed; a change is a new one. */
export const migrations = {
  '0001-first-tables': firstTables,
  '0002-audit': auditTables,
  '0003-approvals': approvals,
  '0004-api-keys': apiKeys,
}

/** The table where a database says which migrations it had, in their order. */
export const migrationTable = 'weir_migration'

/** Whether a database that had these migrations needs more. Throws STORE_UNUSABLE where a newer Weir made it. */
export function needsMigration(executed: readonly string[]): boolean {
  const unknown = executed.find((name) => !Object.hasOwn(migrations, name))
  if (unknown !== undefined) {
    throw new WeirError('STORE_UNUSABLE', `The store was made by a newer Weir: it has “${unknown}”.`, {
      hint: 'Run the newer Weir, or let this one begin a store of its own: set `store.url` to another file.',
      data: { migration: unknown },
    })
  }
  return executed.length < Object.keys(migrations).length
}

/** Brings a database to the newest form. The caller holds it alone, in one transaction: all of this happens or none. */
export async function migrate(database: Kysely<unknown>): Promise<void> {
  const { Migrator } = await import('kysely/migration')
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations },
    migrationTableName: migrationTable,
    migrationLockTableName: `${migrationTable}_lock`,
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}
