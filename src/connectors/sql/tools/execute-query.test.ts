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
    analytics: { url: 'sqlite:./main.db', rowsMax: 3 },
  })
})
afterAll(() => test.dispose())

it('D0-012, D0-020, D1-017, B-07: execute_query answers with rows as column-value objects', async () => {
  expect(await query('SELECT * FROM customers WHERE id = $1', [1])).toEqual({
    rows: [{ id: 1, name: 'Ada' }],
    columns: ['id', 'name'],
    count: 1,
    truncated: false,
    execution_time_ms: expect.any(Number),
    database: 'main',
    quality_validation: null,
  })
})

it.each([
  ['select $2 as a, $1 as b', ['x', 'y'], [{ a: 'y', b: 'x' }]],
  ['select id from customers where name = $2 and id = $1', [1, 'Ada'], [{ id: 1 }]],
  ['select ? as a, ? as b', ['x', 'y'], [{ a: 'x', b: 'y' }]],
  ['select ?2 as a, ?1 as b', ['x', 'y'], [{ a: 'y', b: 'x' }]],
  ['select $1 || $1 as a', ['x'], [{ a: 'xx' }]],
  ["select '$2' as a, $1 as b", ['x'], [{ a: '$2', b: 'x' }]],
  [
    'select typeof($1) as a, typeof($2) as b, typeof($3) as c, $4 as d',
    [5, 1.5, null, true],
    [{ a: 'integer', b: 'real', c: 'null', d: 1 }],
  ],
  ['select $1 as a', ['2026-11-05T10:00:00.000Z'], [{ a: '2026-11-05T10:00:00.000Z' }]],
  ['select hex($1) as a', [{ $bytes: 'AP8=' }], [{ a: '00FF' }]],
])('D0-015, D0-023: binds parameters by position: %s', async (text, parameters, rows) => {
  expect(await query(text, parameters)).toMatchObject({ rows })
})

it.each([
  ['select $1, $2', [1], 'needs 2 parameters, and 1 was given'],
  ['select 1', [1, 2], 'needs 0 parameters, and 2 were given'],
  ['select $1', [2 ** 53], 'too large to be exact'],
  ['select $1', [{ $bytes: 'no base64!' }], 'Parameter 1 is not a value'],
  ['select :name', [1], ':name'],
])('D0-015: refuses the wrong parameters of %s with INVALID_INPUT', async (text, parameters, message) => {
  await expect(query(text, parameters)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining(message),
  })
})

it.each([
  ['9223372036854775807', '9223372036854775807'],
  ['9007199254740991', 9007199254740991],
  ['-9007199254740993', '-9007199254740993'],
  ["x'00ff'", { $bytes: 'AP8=' }],
  ["x''", { $bytes: '' }],
  ['null', null],
  ['9e999', 'Infinity'],
  ['-9e999', '-Infinity'],
  ['0.1', 0.1],
  [`'a"\\' || char(10, 0x2028)`, 'a"\\\n\u2028'],
  ["date('2026-11-05')", '2026-11-05'],
])('B-41: maps %s to JSON without loss', async (expression, value) => {
  expect(await query(`select ${expression} as v`)).toMatchObject({ rows: [{ v: value }] })
  expect(await query(`select 1 as a, ${expression} as v union all select 2, 3`)).toMatchObject({
    rows: [
      { a: 1, v: value },
      { a: 2, v: 3 },
    ],
  })
})

it('loses no value to a repeated or hostile column name', async () => {
  const answer = (await query('select 1 as id, 2 as id, 3 as id_2, 4 as "__proto__"')) as { rows: object[] }
  expect(answer).toMatchObject({ columns: ['id', 'id_2', 'id_2_2', '__proto__'] })
  expect(JSON.stringify(answer.rows)).toBe('[{"id":1,"id_2":2,"id_2_2":3,"__proto__":4}]')
})

it('B-08, D1-093: stops at the row limit and says so, leaving no lock behind', async () => {
  const many =
    'with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000) select i from n, customers'
  expect(await query(many, [], 'analytics')).toMatchObject({ count: 3, truncated: true })
  expect(
    await query('select id from customers union all select 3 order by 1', [], 'analytics'),
  ).toMatchObject({
    count: 3,
    truncated: false,
  })
  await transact({ query: 'update customers set name = name' })
})

it('B-08: stops at the byte limit and says so; one row beyond it is an error', async () => {
  const wide =
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9) select printf('%*c', 1000000, 'x') as x from n"
  expect(await query(wide)).toMatchObject({ count: 4, truncated: true })
  await expect(query("select printf('%*c', 5000000, 'x')")).rejects.toMatchObject({ code: 'SQL_ERROR' })
  await expect(
    query("select printf('%*c', 3000000, 'x') as a, printf('%*c', 3000000, 'x') as b"),
  ).rejects.toMatchObject({
    code: 'SQL_ERROR',
    message: expect.stringContaining('One row'),
  })
})

it('follows a schema that changes under a statement it has kept', async () => {
  const all = () => query('select * from tags_seen')
  await transact({ query: 'create table tags_seen(a, b)' }, { query: 'insert into tags_seen values (1, 2)' })
  expect(await all()).toMatchObject({ columns: ['a', 'b'], rows: [{ a: 1, b: 2 }] })
  await transact({ query: 'alter table tags_seen rename column a to c' })
  expect(await all()).toMatchObject({ columns: ['c', 'b'], rows: [{ c: 1, b: 2 }] })
  await transact({ query: 'delete from tags_seen' }, { query: 'alter table tags_seen add column d' })
  expect(await all()).toMatchObject({ columns: ['c', 'b', 'd'], rows: [] })
  await transact({ query: 'drop table tags_seen' })
  await expect(all()).rejects.toMatchObject({ code: 'SQL_ERROR' })
})

it('reads full-text tables, whose engine asks pragmas of its own', async () => {
  expect(await query("select body from notes where notes match 'hello'")).toMatchObject({ count: 1 })
})
