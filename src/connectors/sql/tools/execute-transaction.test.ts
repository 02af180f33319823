import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestConnection, sampleTables, type TestConnection } from '../open-test-connection.fixture.ts'

let test: TestConnection
const query = (text: string, parameters: unknown[] = [], database = 'main') =>
  test.call('execute_query', { query: text, parameters, database })
const transact = (...queries: { query: string; parameters?: unknown[] }[]) =>
  test.call('execute_transaction', { queries, database: 'main' })

beforeAll(async () => {
  test = await openTestConnection(sampleTables, {
    main: { url: 'sqlite:./main.db', write: true },
    fresh: { url: 'sqlite:./fresh.db', write: true },
  })
})
afterAll(() => test.dispose())

it('D0-013, D0-021, B-03, B-04: a transaction answers per statement, in order, and lasts', async () => {
  const answer = await transact(
    { query: 'UPDATE orders SET status = $1 WHERE id = $2', parameters: ['paid', 7] },
    {
      query: 'INSERT INTO order_history (order_id, status, timestamp) VALUES ($1,$2,$3)',
      parameters: [7, 'paid', '2026-11-05T10:00:00Z'],
    },
    { query: 'select status from orders where id = ?', parameters: [7] },
    { query: 'insert into customers(name) values ($1) returning id', parameters: ['Katherine'] },
    { query: "insert into tags values ('a')" },
    { query: 'create table later(a)' },
  )
  expect(answer).toEqual({
    results: [
      { rowcount: 1 },
      { rowcount: 1, last_insert_id: 1 },
      { rows: [{ status: 'paid' }], columns: ['status'], count: 1, truncated: false },
      { rows: [{ id: 3 }], columns: ['id'], count: 1, truncated: false },
      { rowcount: 1 },
      { rowcount: 0 },
    ],
    execution_time_ms: expect.any(Number),
    database: 'main',
  })
  const file = new DatabaseSync(join(test.folder, 'main.db'), { readOnly: true })
  expect(file.prepare('select status from orders where id = 7').get()).toEqual({ status: 'paid' })
  file.close()
})

it('B-04: a row id beyond 2^53 comes as a decimal string', async () => {
  await expect(
    transact({ query: 'insert into mixed(rowid, any_value) values (9007199254740993, 1)' }),
  ).resolves.toMatchObject({ results: [{ rowcount: 1, last_insert_id: '9007199254740993' }] })
})

it('B-41: a statement that writes and returns a large integer runs once', async () => {
  await expect(
    transact(
      { query: 'insert into mixed values (9007199254740993) returning any_value as v' },
      { query: 'select count(*) as n from mixed where any_value = 9007199254740993' },
    ),
  ).resolves.toMatchObject({ results: [{ rows: [{ v: '9007199254740993' }] }, { rows: [{ n: 1 }] }] })
})

it('D0-013, D0-016: one failing statement undoes the others and is named', async () => {
  const before = await query('select * from customers order by id')
  await expect(
    transact(
      { query: "insert into customers values (50, 'x')" },
      { query: 'insert into customers values (51, null)' },
    ),
  ).rejects.toMatchObject({
    code: 'SQL_ERROR',
    message:
      'Statement 2 of 2: The database refused the statement: NOT NULL constraint failed: customers.name. Nothing was changed.',
    data: { statement: 2 },
  })
  expect(await query('select * from customers order by id')).toMatchObject({
    rows: (before as { rows: object[] }).rows,
  })
})

it('D0-013: a constraint that is checked at the commit undoes everything, too', async () => {
  await transact(
    { query: 'create table parent(id integer primary key)' },
    { query: 'create table child(parent references parent(id) deferrable initially deferred)' },
  )
  await expect(transact({ query: 'insert into child values (9)' })).rejects.toMatchObject({
    code: 'SQL_ERROR',
  })
  expect(await query('select count(*) as n from child')).toMatchObject({ rows: [{ n: 0 }] })
})

it('B-02: transactions that run at once do not interleave', async () => {
  await transact({ query: 'create table counter(n)' }, { query: 'insert into counter values (0)' })
  const bump = { query: 'update counter set n = n + 1 returning n' }
  const answers = await Promise.all(Array.from({ length: 20 }, () => transact(bump, bump)))
  const pairs = answers.map((answer) =>
    (answer as { results: { rows: { n: number }[] }[] }).results.map(({ rows }) => rows[0]!.n),
  )
  for (const [first, second] of pairs) expect(second).toBe(first! + 1)
})

it('SQL_BUSY: another program’s lock is waited for, within bounds', async () => {
  const other = new DatabaseSync(join(test.folder, 'fresh.db'))
  other.exec('begin immediate')
  try {
    const queries = [{ query: 'create table x(a)' }]
    const quick = await openTestConnection('', {
      main: { url: `sqlite:${test.folder}/fresh.db`, write: true, statementTimeoutMs: 400 },
    })
    await expect(quick.call('execute_transaction', { queries, database: 'main' })).rejects.toMatchObject({
      code: 'SQL_BUSY',
    })
    await quick.dispose()
  } finally {
    other.exec('rollback')
    other.close()
  }
})
