import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Keys of callers, by the hash of their secret. */
export const apiKeys: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('api_keys')
      .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('roles', 'text', (column) => column.notNull())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .addColumn('ends_at', 'bigint')
      .execute()
  },
}
