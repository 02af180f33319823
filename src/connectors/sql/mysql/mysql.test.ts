import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { renderError, toWeirError } from '../../../core/error.ts'
import { describeConnector } from '../../../testing/describe-connector.ts'
import type { Database, Parameter } from '../dialect.ts'
import { openTestConnection, sql } from '../open-test-connection.fixture.ts'
import { patient } from '../server/patient.fixture.ts'
import { startRelay } from '../server/relay.fixture.ts'
import { createMySqlSandbox, type MySqlSandbox } from './mysql.fixture.ts'

const one = (database: object) => ({ databases: { main: database } })
const setup = `
  create table customers(id bigint auto_increment primary key, name varchar(40) not null comment 'As on the invoice.',
    since date default '2026-01-01') comment 'Who buys.';
  insert into customers(name) values ('Ada'), ('Grace');
  create table orders(id int, part int, customer bigint, total decimal(10,2), primary key (part, id),
    unique key by_customer (customer, total), foreign key (customer) references customers(id) on delete cascade);
  create view open_orders as select * from orders; create sequence s;`

describeWith('mariadb', 'MariaDB through the connector', (url) => {
  let box: MySqlSandbox
  let database: Database
  const read = (query: string, parameters: readonly Parameter[] = []) =>
    database.read({ query, parameters }, 100_000, patient())

  beforeAll(async () => {
    box = await createMySqlSandbox(url, setup)
    database = box.open()
  })
  afterAll(() => box.dispose())

  describeConnector(sql, {
    config: () => one({ url: box.url(), write: true }),
    deadConfig: () => one({ url: 'mysql://ada:canary-7@127.0.0.1:1/x' }),
    secret: 'canary-7',
    slowCall: { tool: 'execute_query', input: { query: 'select sleep(30)', database: 'main' } },
    badConfigs: [
      { config: one({ url: 'mysql://ada:canary-7@db' }), field: 'databases.main.url' },
      { config: one({ url: 'mariadb://db/canary-7' }), field: 'databases.main.url' },
      {
        config: one({ url: 'mysql://ada:canary-7@db/x?multipleStatements=true' }),
        field: 'databases.main.url',
      },
    ],
  })

  it('B-01, D1-012: two databases of one kind are two databases', async () => {
    const other = await createMySqlSandbox(
      url,
      'create table customers(id int); insert into customers values (77)',
    )
    const test = await openTestConnection('', { one: { url: box.url() }, two: { url: other.url() } })
    const ids = async (name: string) => {
      const input = { query: 'select id from customers order by id', parameters: [], database: name }
      return ((await test.call('execute_query', input)) as { rows: { id: number }[] }).rows.map(
        ({ id }) => id,
      )
    }
    expect(await Promise.all([ids('one'), ids('two'), ids('one')])).toEqual([[1, 2], [77], [1, 2]])
    await test.dispose()
    await other.dispose()
  })

  it.each<[string, unknown]>([
    ['9223372036854775807', '9223372036854775807'],
    ['cast(18446744073709551615 as unsigned)', '18446744073709551615'],
    ['9007199254740991', 9007199254740991],
    ['cast(12.50 as decimal(10,2))', 12.5],
    ['cast(123456789012345.6 as decimal(20,2))', '123456789012345.60'],
    ['cast(0.1 as double)', 0.1],
    ['cast(0.1 as float)', 0.1],
    ['null', null],
    ['true', 1],
    ["x'00ff'", { $bytes: 'AP8=' }],
    ["date '2026-11-05'", '2026-11-05'],
    ["cast('2026-11-05 10:00:00.125' as datetime(3))", '2026-11-05T10:00:00.125'],
    ["time '10:00:00'", '10:00:00'],
    ["'a\\\\\"' ", 'a\\"'],
    ["'é😀'", 'é😀'],
    [`json_compact('{"a": [1, 9007199254740993]}')`, { a: [1, '9007199254740993'] }],
  ])('B-41: %s comes to JSON without loss', async (expression, value) => {
    expect((await read(`select ${expression} as v`)).rows).toEqual([{ v: value }])
  })

  it('B-41: a TIMESTAMP is an instant in UTC, and a repeated column is numbered', async () => {
    await box.admin.query(
      "create table moments(at timestamp); set time_zone = '+02:00'; insert into moments values ('2026-11-05 10:00:00'); set time_zone = @@global.time_zone",
    )
    expect(await read('select at, 1 as `at`, 2 as `__proto__` from moments')).toMatchObject({
      columns: ['at', 'at_2', '__proto__'],
    })
    expect((await read('select at from moments')).rows).toEqual([{ at: '2026-11-05T08:00:00Z' }])
    const at = { $datetime: '2026-11-05T10:00:00+02:00' }
    expect((await read('select count(*) as n from moments where at = $1', [at])).rows).toEqual([{ n: 1 }])
  })

  it.each<[string, readonly Parameter[], unknown]>([
    ['select concat($2, $1)', ['x', 'y'], 'yx'],
    ['select concat(?, ?)', ['x', 'y'], 'xy'],
    ["select concat('$2', $1, $1) -- $3", ['x'], '$2xx'],
    ['select $1 + 1', [5], 6],
    ['select $1', [5], 5],
    ['select $1', [1.5], 1.5],
    ['select $1 is null', [null], 1],
    ['select $1', [true], 1],
    ['select hex($1)', [{ $bytes: 'AP8=' }], '00FF'],
    ["select json_value($1, '$.a')", [{ $json: { a: 'x' } }], 'x'],
    ['select id from customers order by id limit $1', [1], 1],
  ])('D0-015, D0-023: binds by position: %s', async (query, parameters, value) => {
    expect(Object.values((await read(query, parameters)).rows[0]!)).toEqual([value])
  })

  it.each<[string, readonly Parameter[], string]>([
    ['select $1, $2', [1], 'needs 2 parameters, and 1 was given'],
    ['select 1', [1], 'needs 0 parameters'],
    ['select $1', [2 ** 53], 'too large to be exact'],
    ['select $1', [[1]], 'is a list'],
    ['select $1', [{ $bytes: 'no base64!' }], 'not a value'],
    ['select $1', [{ $datetime: 'soon' }], 'not a value'],
  ])('refuses the wrong parameters of %s', async (query, parameters, message) => {
    await expect(read(query, parameters)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    })
  })

  it('D0-014, B-09: get_schema describes tables, views, keys, indexes and comments', async () => {
    const { tables } = await database.describe(undefined, patient())
    expect(tables.map(({ name, type }) => [name, type])).toEqual([
      ['customers', 'table'],
      ['moments', 'table'],
      ['open_orders', 'view'],
      ['orders', 'table'],
    ])
    expect(tables[0]).toMatchObject({
      comment: 'Who buys.',
      columns: [
        { name: 'id', type: 'bigint(20)', nullable: false, default: 'auto_increment', primary_key: true },
        {
          name: 'name',
          type: 'varchar(40)',
          nullable: false,
          primary_key: false,
          comment: 'As on the invoice.',
        },
        { name: 'since', type: 'date', nullable: true, default: "'2026-01-01'", primary_key: false },
      ],
      rows_estimate: expect.any(Number),
    })
    expect(tables[3]).toMatchObject({
      columns: [{ primary_key: true }, { primary_key: true }, { primary_key: false }, { primary_key: false }],
      foreign_keys: [
        {
          columns: ['customer'],
          references_table: 'customers',
          references_columns: ['id'],
          on_update: 'RESTRICT',
          on_delete: 'CASCADE',
        },
      ],
      indexes: [{ name: 'by_customer', unique: true, columns: ['customer', 'total'] }],
    })
    expect((await database.describe('orders', patient())).tables).toHaveLength(1)
    await expect(database.describe('nope', patient())).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('S16: no error of a login shows the password', async () => {
    const wrong = new URL(box.url())
    wrong.password = 'canary-8'
    const thrown = toWeirError(
      await box
        .open({ url: wrong.href })
        .check(patient())
        .catch((error) => error),
    )
    expect(thrown).toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('refused the login'),
    })
    expect(JSON.stringify(renderError(thrown))).not.toContain('canary-8')
  })

  it('TLS that was asked for is never left out', async () => {
    const relay = await startRelay(url)
    const sent: string[] = []
    relay.onClientData = (chunk) => sent.push(chunk.toString('latin1')) > 0
    for (const config of [{ tls: true }, { url: `${box.url(relay.port)}?sslmode=require` }]) {
      const sealed = box.open({ url: box.url(relay.port), ...config })
      await expect(sealed.check(patient())).rejects.toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        hint: expect.stringMatching(/tls: false|tls\.ca/),
      })
    }
    expect(sent.join('')).not.toContain(box.name)
    await relay.stop()
  })
})
