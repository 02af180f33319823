import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Approvals and the keys of calls. Only types and clauses that every database has. */
export const approvals: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('approvals')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('tool', 'text', (column) => column.notNull())
      .addColumn('definition_hash', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('shown', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addColumn('decided_at', 'bigint')
      .addColumn('decided_by', 'text')
      .addColumn('reason', 'text')
      .addColumn('collected_at', 'bigint')
      .execute()
    await index(database, 'approvals', 'same_call', ['tenant', 'subject', 'digest'])
    await index(database, 'approvals', 'state', ['state', 'expires_at'])
    await index(database, 'approvals', 'age', ['created_at'])
    await database.schema
      .createTable('idempotency_keys')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('tool', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('token', 'text', (column) => column.notNull())
      .addColumn('outcome', 'text')
      .addColumn('lost_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('idempotency_keys_key', ['tenant', 'subject', 'key'])
      .execute()
    await index(database, 'idempotency_keys', 'age', ['expires_at'])
  },
}

async function index(
  database: Kysely<unknown>,
  table: string,
  name: string,
  columns: string[],
): Promise<void> {
  await database.schema.createIndex(`${table}_${name}`).on(table).columns(columns).execute()
}
