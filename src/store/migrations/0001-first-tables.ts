import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Pins, credentials and remembered targets. Only types and clauses that every database has. */
export const firstTables: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('pins')
      .addColumn('connection', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('decision', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('definition', 'text', (column) => column.notNull())
      .addColumn('seen_at', 'bigint', (column) => column.notNull())
      .addColumn('decided_at', 'bigint')
      .addColumn('decided_by', 'text')
      .addPrimaryKeyConstraint('pins_key', ['connection', 'kind', 'name', 'decision'])
      .execute()
    await database.schema
      .createTable('credentials')
      .addColumn('connection', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('issuer', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('sealed', 'text', (column) => column.notNull())
      .addColumn('version', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('credentials_key', ['connection', 'tenant', 'subject', 'issuer', 'kind'])
      .execute()
    await database.schema
      .createTable('remembered_targets')
      .addColumn('connection', 'text', (column) => column.primaryKey().notNull())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('targets', 'text', (column) => column.notNull())
      .addColumn('notes', 'text', (column) => column.notNull())
      .addColumn('seen_at', 'bigint', (column) => column.notNull())
      .execute()
  },
}
