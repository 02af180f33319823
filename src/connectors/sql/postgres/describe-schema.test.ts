import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import type { Database } from '../dialect.ts'
import { patient } from '../server/patient.fixture.ts'
import { createPgSandbox, type PgSandbox } from './postgres.fixture.ts'

const setup = `
  create table customers(id bigint generated always as identity primary key, name varchar(40) not null, mail text[] default '{}');
  comment on table customers is 'Who buys.';
  comment on column customers.name is 'As on the invoice.';
  create table orders(id int, part int, customer bigint references customers on delete cascade, total numeric(10,2) default 0,
    doubled numeric generated always as (total * 2) stored, primary key (part, id));
  create unique index orders_by_customer on orders(customer, lower(total::text)) include (id);
  create view open_orders as select * from orders;
  create materialized view totals as select 1 as n;
  create schema other; create table other.things(a int references orders_absent);`.replace(
  ' references orders_absent',
  '',
)

describeWith('postgres', 'PostgreSQL’s schema', (url) => {
  let box: PgSandbox
  let database: Database
  const describe = (name?: string) => database.describe(name, patient())

  beforeAll(async () => {
    box = await createPgSandbox(url, setup)
    await box.admin.query(
      'create table hidden(a int); alter table hidden owner to current_user; analyze customers',
    )
    database = box.open()
  })
  afterAll(() => box.dispose())

  it('D0-014, B-09: get_schema describes tables, views, keys, indexes and comments', async () => {
    const whole = await describe()
    expect(whole.truncated).toBe(false)
    expect(whole.tables.map(({ name, type }) => [name, type])).toEqual([
      ['customers', 'table'],
      ['open_orders', 'view'],
      ['orders', 'table'],
      ['totals', 'view'],
      ['other.things', 'table'],
    ])
    expect(whole.tables[0]).toEqual({
      name: 'customers',
      type: 'table',
      columns: [
        {
          name: 'id',
          type: 'bigint',
          nullable: false,
          default: 'generated always as identity',
          primary_key: true,
        },
        {
          name: 'name',
          type: 'character varying(40)',
          nullable: false,
          primary_key: false,
          comment: 'As on the invoice.',
        },
        { name: 'mail', type: 'text[]', nullable: true, default: "'{}'::text[]", primary_key: false },
      ],
      foreign_keys: [],
      indexes: [],
      rows_estimate: 0,
      comment: 'Who buys.',
    })
    expect(whole.tables[2]).toMatchObject({
      columns: [
        { name: 'id', primary_key: true },
        { name: 'part', primary_key: true },
        { name: 'customer', primary_key: false },
        { name: 'total', type: 'numeric(10,2)', default: '0' },
        { name: 'doubled', default: expect.stringContaining('total') },
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
      indexes: [{ name: 'orders_by_customer', unique: true, columns: ['customer', null] }],
    })
    expect(whole.tables[2]).not.toHaveProperty('rows_estimate')
  })

  it('D0-014: one table is found by its name, its case aside, or with its schema', async () => {
    for (const name of ['orders', 'ORDERS', 'public.orders', 'other.things']) {
      const { tables } = await describe(name)
      expect(tables.map((table) => table.name)).toEqual([name.toLowerCase().replace('public.', '')])
    }
    for (const name of ['nope', 'hidden', 'things', "x' or '1'='1"]) {
      await expect(describe(name)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    }
  })

  it('D0-014: more than 500 tables are cut off, and so is an answer of more than 4 MiB', async () => {
    const many = await createPgSandbox(
      url,
      "do $$ begin for i in 1..510 loop execute format('create table t%s(a int)', i); end loop; end $$",
    )
    const some = await many.open().describe(undefined, patient())
    expect([some.tables.length, some.truncated]).toEqual([500, true])
    await many.dispose()
    const columns = Array.from(
      { length: 1500 },
      (_, index) => `a_rather_long_name_for_a_column_${index} int`,
    ).join()
    const wide = await createPgSandbox(
      url,
      Array.from({ length: 40 }, (_, index) => `create table w${index}(${columns})`).join(';'),
    )
    const part = await wide.open().describe(undefined, patient())
    expect(part.truncated).toBe(true)
    expect(JSON.stringify(part).length).toBeLessThan(4.1 * 1024 * 1024)
    await wide.dispose()
  })
})
