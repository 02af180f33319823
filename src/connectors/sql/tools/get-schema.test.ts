import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  changeFile,
  openTestConnection,
  sampleTables,
  type TestConnection,
} from '../open-test-connection.fixture.ts'

let test: TestConnection

beforeAll(async () => {
  test = await openTestConnection(sampleTables, {
    main: { url: 'sqlite:./main.db', write: true },
    analytics: { url: 'sqlite:./main.db', rowsMax: 3 },
    broken: { url: 'sqlite:./broken.db' },
    wide: { url: 'sqlite:./wide.db' },
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

it('D0-014: a broken view costs the other tables nothing', async () => {
  changeFile(join(test.folder, 'broken.db'), 'create table kept(a); create view lost as select * from gone')
  const { tables } = (await test.call('get_schema', { database: 'broken' })) as { tables: object[] }
  expect(tables).toEqual([
    expect.objectContaining({ name: 'kept', columns: [expect.objectContaining({ name: 'a' })] }),
    expect.objectContaining({ name: 'lost', columns: [], problem: expect.stringContaining('gone') }),
  ])
})

it('D0-014: an answer has a bound in bytes as well as in tables', async () => {
  const columns = Array.from({ length: 1500 }, (_, index) => `column_${index} text`).join()
  const tables = Array.from({ length: 60 }, (_, index) => `create table wide_${index}(${columns})`)
  changeFile(join(test.folder, 'wide.db'), tables.join(';'))
  const answer = (await test.call('get_schema', { database: 'wide' })) as { tables: []; truncated: boolean }
  expect(answer.truncated).toBe(true)
  expect(answer.tables.length).toBeGreaterThan(10)
  expect(JSON.stringify(answer).length).toBeLessThan(4.1 * 1024 * 1024)
})
