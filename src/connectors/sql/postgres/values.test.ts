import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import type { Database, Parameter } from '../dialect.ts'
import { patient } from '../server/patient.fixture.ts'
import { createPgSandbox, type PgSandbox } from './postgres.fixture.ts'

const setup = `create type mood as enum ('calm', 'wild');
  create domain email as text check (value like '%@%');
  create table customers(id int primary key, name text not null);
  insert into customers values (1, 'Ada'), (2, 'Grace');`

describeWith('postgres', 'PostgreSQL’s values', (url) => {
  let box: PgSandbox
  let database: Database
  const read = (query: string, parameters: readonly Parameter[] = []) =>
    database.read({ query, parameters }, 100_000, patient())

  beforeAll(async () => {
    box = await createPgSandbox(url, setup)
    database = box.open()
  })
  afterAll(() => box.dispose())

  it('D0-012, D0-020, D1-017, B-07: a query answers with rows as column-value objects', async () => {
    expect(await read('SELECT * FROM customers WHERE id = $1', [1])).toEqual({
      rows: [{ id: 1, name: 'Ada' }],
      columns: ['id', 'name'],
      count: 1,
      truncated: false,
      execution_time_ms: expect.any(Number),
    })
    expect(
      await read('select 1 as a, 2 as a, 3 as a_2, 4 as "__proto__" from customers where false'),
    ).toMatchObject({
      rows: [],
      columns: ['a', 'a_2', 'a_2_2', '__proto__'],
    })
    const [row] = (await read(`select '{"x":1}'::json as "__proto__", 2 as b`)).rows
    expect(JSON.stringify(row)).toBe('{"__proto__":{"x":1},"b":2}')
  })

  it.each<[string, unknown]>([
    ['9223372036854775807', '9223372036854775807'],
    ['9007199254740991', 9007199254740991],
    ['-9007199254740993', '-9007199254740993'],
    ['12.50::numeric', 12.5],
    ['0.1::numeric', 0.1],
    ['123456789012345.6::numeric', '123456789012345.6'],
    ['0.00000000000000000001::numeric', 1e-20],
    ["'NaN'::numeric", 'NaN'],
    ["'NaN'::float8", 'NaN'],
    ["'-Infinity'::float4", '-Infinity'],
    ['0.1::float8', 0.1],
    ['true', true],
    ['null::int', null],
    ["'\\x00ff'::bytea", { $bytes: 'AP8=' }],
    ["''::bytea", { $bytes: '' }],
    ["date '2026-11-05'", '2026-11-05'],
    ["date 'infinity'", 'infinity'],
    ["timestamp '2026-11-05 10:00:00.123456'", '2026-11-05T10:00:00.123456'],
    ["timestamptz '2026-11-05 10:00:00+02'", '2026-11-05T08:00:00Z'],
    ["timestamptz 'infinity'", 'infinity'],
    ["time '10:00'", '10:00:00'],
    ["interval '1 year 2 days 03:04:05.6'", 'P1Y2DT3H4M5.6S'],
    [`'{"a": [1, 9007199254740993, 1.5, "x"]}'::jsonb`, { a: [1, '9007199254740993', 1.5, 'x'] }],
    ["'null'::json", null],
    ["'6f1b2c3d-0000-4000-8000-000000000000'::uuid", '6f1b2c3d-0000-4000-8000-000000000000'],
    ["'a\"\\' || chr(10) || chr(8232)", 'a"\\\n\u2028'],
    ['array[1, null, 3]', [1, null, 3]],
    [
      'array[[1, 2], [3, 4]]',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["'[0:1]={1,2}'::int[]", [1, 2]],
    ['array[9007199254740993]', ['9007199254740993']],
    [`array['a,b', 'c"d', '{e}', 'NULL', '', 'f\\g', null]`, ['a,b', 'c"d', '{e}', 'NULL', '', 'f\\g', null]],
    ["array['\\x01'::bytea]", [{ $bytes: 'AQ==' }]],
    ["array[timestamptz '2026-01-01Z']", ['2026-01-01T00:00:00Z']],
    ["'{}'::text[]", []],
    ["array['calm', 'wild']::mood[]", ['calm', 'wild']],
    ["'calm'::mood", 'calm'],
    ["array['a@b']::email[]", ['a@b']],
    ["'a@b'::email", 'a@b'],
    ["'10.0.0.1/8'::inet", '10.0.0.1/8'],
    ['int4range(1, 5)', '[1,5)'],
    ["row(1, 'a')", '(1,a)'],
    ['point(1, 2)', '(1,2)'],
  ])('B-41: %s comes to JSON without loss', async (expression, value) => {
    const { rows } = await read(`select ${expression} as v`)
    expect(rows).toEqual([{ v: value }])
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows)
  })

  it.each<[string, readonly Parameter[], unknown]>([
    ['select $2::text || $1::text', ['x', 'y'], 'yx'],
    ["select '$2' || $1::text || $1::text -- $3", ['x'], '$2xx'],
    ['select $1::int + 1', [5], 6],
    ['select $1::int8', ['9223372036854775807'], '9223372036854775807'],
    ['select $1::numeric', [1.5], 1.5],
    ['select $1::bool', [true], true],
    ['select $1::text is null', [null], true],
    ["select encode($1::bytea, 'hex')", [{ $bytes: 'AP8=' }], '00ff'],
    ['select $1::timestamptz', [{ $datetime: '2026-11-05T10:00:00+02:00' }], '2026-11-05T08:00:00Z'],
    ['select $1::timestamptz', ['2026-11-05T10:00:00Z'], '2026-11-05T10:00:00Z'],
    ['select $1::jsonb', [{ $json: { a: [1, 'x'] } }], { a: [1, 'x'] }],
    ['select $1::jsonb', [[1, 'x', null]], [1, 'x', null]],
    ['select $1::int[]', [[1, null, 3]], [1, null, 3]],
    ['select $1::text[]', [['a,b', 'c"d', 'e\\f', 'NULL', '']], ['a,b', 'c"d', 'e\\f', 'NULL', '']],
    [
      'select $1::int[][]',
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['select count(*) from customers where id = any ($1)', [[1, 2, 3]], 2],
  ])('D0-015, D0-023: binds by position: %s', async (query, parameters, value) => {
    const { rows } = await read(query, parameters)
    expect(Object.values(rows[0]!)).toEqual([value])
  })

  it.each<[string, readonly Parameter[], string, string]>([
    ['select $1::int, $2::int', [1], 'INVALID_INPUT', 'needs 2 parameters, and 1 was given'],
    ['select 1', [1, 2], 'INVALID_INPUT', 'needs 0 parameters, and 2 were given'],
    ['select $1::int8', [2 ** 53], 'INVALID_INPUT', 'too large to be exact'],
    ['select $1::bytea', [{ $bytes: 'no base64!' }], 'INVALID_INPUT', 'Parameter 1 is not a value'],
    ['select $1::int', ['x'], 'SQL_ERROR', 'invalid input syntax for type integer'],
    ['select $1::text', ['a\0b'], 'SQL_ERROR', 'invalid byte sequence'],
    ['select * from customers where id = ?', [1], 'SQL_ERROR', 'syntax error'],
    ['select * from nobody', [], 'SQL_ERROR', 'relation "nobody" does not exist'],
  ])('refuses %s with what is wrong', async (query, parameters, code, message) => {
    await expect(read(query, parameters)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
    expect(await read('select 1 as a')).toMatchObject({ rows: [{ a: 1 }] })
  })

  it('a compiled statement follows its table when that changes', async () => {
    const columns = async () => (await read('select * from customers where id = 1')).rows
    await columns()
    await box.admin.query('alter table customers add column age int default 36')
    expect(await columns()).toEqual([{ id: 1, name: 'Ada', age: 36 }])
    const insert = [{ query: 'insert into customers values (9, $1) returning *', parameters: ['Nine'] }]
    await database.transact(insert, { bytesMax: 1000 }, patient())
    await box.admin.query('alter table customers drop column age; delete from customers where id = 9')
    expect(await database.transact(insert, { bytesMax: 1000 }, patient())).toMatchObject({
      results: [{ rows: [{ id: 9, name: 'Nine' }] }],
    })
    await box.admin.query('deallocate all')
  })

  it('keeps no more compiled statements than it has room for', async () => {
    const single = box.open({ pool: { min: 1, max: 2, idleMs: 1000 } })
    for (let number = 0; number < 250; number++) {
      const { rows } = await single.read({ query: `select ${number} as n` }, 1000, patient())
      expect(rows).toEqual([{ n: number }])
    }
    const { rows } = await single.read(
      { query: 'select count(*)::int as n from pg_prepared_statements' },
      1000,
      patient(),
    )
    expect(rows[0]!['n']).toBeLessThan(110)
  })
})
