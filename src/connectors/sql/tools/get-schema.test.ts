import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestConnection, sampleTables, type TestConnection } from '../open-test-connection.fixture.ts'

let test: TestConnection

beforeAll(async () => {
  test = await openTestConnection(sampleTables, {
    main: { url: 'sqlite:./main.db', write: true },
    analytics: { url: 'sqlite:./main.db', rowsMax: 3 },
  })
})
afterAll(() => test.dispose())

it('D0-014, B-09: get_schema describes tables, views, keys and indexes', async () => {
  const whole = (await test.call('get_schema', { database: 'analytics' })) as { tables: { name: string }[] }
  expect(whole.tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['customers', 'open_orders', 'notes']),
  )
  expect(whole.tables.filter(({ name }) => /^sqlite_|^notes_/.test(name))).toEqual([])
  expect(await test.call('get_schema', { database: 'main', table_name: 'ORDERS' })).toEqual({
    tables: [
      {
        name: 'orders',
        type: 'table',
        columns: [
          { name: 'id', type: 'INTEGER', nullable: false, primary_key: true },
          { name: 'customer', type: 'INTEGER', nullable: true, primary_key: false },
          { name: 'status', type: 'TEXT', nullable: true, default: "'new'", primary_key: false },
        ],
        foreign_keys: [
          {
            columns: ['customer'],
            references_table: 'customers',
            references_columns: ['id'],
            on_update: 'NO ACTION',
            on_delete: 'CASCADE',
          },
        ],
        indexes: [{ name: 'orders_by_status', unique: false, columns: ['status', null] }],
        rows_estimate: 1,
      },
    ],
    truncated: false,
    database: 'main',
  })
  await expect(test.call('get_schema', { database: 'main', table_name: 'nope' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  })
})
