import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const texts = [
  ...['call', 'subject', 'tenant', 'via', 'tool', 'definition', 'effect', 'digest', 'arguments', 'decision'],
  ...['rule', 'approval', 'idempotency_key', 'outcome', 'error', 'trace', 'thought', 'step'],
]

/** The audit: chains with their ends, and the records in them. */
export const auditTables: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('audit_chains')
      .addColumn('chain', 'text', (column) => column.primaryKey().notNull())
      .addColumn('head_seq', 'bigint', (column) => column.notNull())
      .addColumn('head_hash', 'text', (column) => column.notNull())
      .addColumn('base_seq', 'bigint', (column) => column.notNull())
      .addColumn('base_hash', 'text', (column) => column.notNull())
      .execute()
    let records = database.schema
      .createTable('audit_records')
      .addColumn('chain', 'text', (column) => column.notNull())
      .addColumn('seq', 'bigint', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('duration_us', 'bigint')
      .addColumn('count', 'bigint')
    for (const name of texts) records = records.addColumn(name, 'text')
    await records
      .addColumn('hash', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('audit_records_key', ['chain', 'seq'])
      .execute()
    await database.schema
      .createIndex('audit_records_call')
      .on('audit_records')
      .columns(['chain', 'call'])
      .execute()
  },
}
