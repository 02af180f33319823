import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestConnection, type TestConnection } from '../open-test-connection.fixture.ts'
import { Session } from './session.ts'

const setup = `
  create table t(id integer primary key, name text);
  create index by_name on t(name);
  insert into t values (1, 'one'), (2, 'two');
  create view v as select * from t;
  create trigger on_v instead of delete on v begin delete from t where id = old.id; end;
`
const outside = '__OUTSIDE__'

/** Everything a SQL statement could have changed: schema and rows, not the bytes they happen to lie in. */
function hashContent(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true })
  const schema = database.prepare('select type, name, sql from sqlite_schema order by name').all()
  const rows = ['t', 'v'].map((table) => database.prepare(`select * from ${table} order by 1`).all())
  const settings = ['user_version', 'application_id', 'journal_mode'].map((name) =>
    database.prepare(`pragma ${name}`).get(),
  )
  database.close()
  return createHash('sha256')
    .update(JSON.stringify([schema, rows, settings]))
    .digest('hex')
}

let test: TestConnection
let hash: string
let files: string[]

beforeAll(async () => {
  test = await openTestConnection(
    setup,
    {
      main: { url: 'sqlite:./main.db', write: true },
      sealed: { url: 'sqlite:./main.db', statementTimeoutMs: 1500 },
    },
    { tools: declareAttacks },
  )
  hash = hashContent(join(test.folder, 'main.db'))
  files = readdirSync(test.folder)
})
afterAll(() => test.dispose())

async function expectUnchanged(): Promise<void> {
  expect(hashContent(join(test.folder, 'main.db'))).toBe(hash)
  expect(readdirSync(test.folder)).toEqual(files)
}

const attacks: [string, string][] = [
  ['COMMIT; DROP TABLE t', 'SQL_FORBIDDEN'],
  ['select 1; drop table t', 'SQL_NOT_SINGLE'],
  ['select 1;;; drop table t --', 'SQL_NOT_SINGLE'],
  ['select 1 /* ; */; delete from t', 'SQL_NOT_SINGLE'],
  ["select ';'; delete from t", 'SQL_NOT_SINGLE'],
  ['select 1 -- harmless\n; delete from t', 'SQL_NOT_SINGLE'],
  ['/* select */ delete from t', 'SQL_READ_ONLY'],
  ['select 1; nonsense', 'SQL_NOT_SINGLE'],
  ['select 1\0; drop table t', 'INVALID_INPUT'],
  ['delete from t', 'SQL_READ_ONLY'],
  ['with x as (select 1) delete from t', 'SQL_READ_ONLY'],
  ['with x as (select 3) insert into t(id) select * from x', 'SQL_READ_ONLY'],
  ["insert into t values (3, 'three') returning *", 'SQL_READ_ONLY'],
  ["update t set name = 'x' returning id", 'SQL_READ_ONLY'],
  ["replace into t values (1, 'x')", 'SQL_READ_ONLY'],
  ['delete from v', 'SQL_READ_ONLY'],
  ['explain delete from t', 'SQL_READ_ONLY'],
  ['create table x(a)', 'SQL_READ_ONLY'],
  ['create table x as select * from t', 'SQL_READ_ONLY'],
  ['create temp table x(a)', 'SQL_READ_ONLY'],
  ['drop table t', 'SQL_READ_ONLY'],
  ['alter table t rename to u', 'SQL_READ_ONLY'],
  ['create virtual table x using fts5(a)', 'SQL_READ_ONLY'],
  ['analyze', 'SQL_READ_ONLY'],
  ['reindex', 'SQL_READ_ONLY'],
  ['vacuum', 'SQL_FORBIDDEN'],
  [`vacuum into '${outside}/copy.db'`, 'SQL_FORBIDDEN'],
  [`attach '${outside}/other.db' as other`, 'SQL_FORBIDDEN'],
  [`attach 'file:${outside}/other.db?mode=rwc' as other`, 'SQL_FORBIDDEN'],
  ['detach main', 'SQL_FORBIDDEN'],
  ['pragma writable_schema = on', 'SQL_FORBIDDEN'],
  ['pragma query_only = off', 'SQL_FORBIDDEN'],
  ['pragma journal_mode = wal', 'SQL_FORBIDDEN'],
  ['pragma user_version = 7', 'SQL_FORBIDDEN'],
  [`pragma temp_store_directory = '${outside}'`, 'SQL_FORBIDDEN'],
  ['select * from pragma_database_list', 'SQL_FORBIDDEN'],
  ["select * from pragma_table_info('t')", 'SQL_FORBIDDEN'],
  ['begin', 'SQL_FORBIDDEN'],
  ['rollback', 'SQL_FORBIDDEN'],
  ['savepoint s', 'SQL_FORBIDDEN'],
  ["select load_extension('/lib/evil.so')", 'SQL_FORBIDDEN'],
  ["select LOAD_EXTENSION('/lib/evil.so', 'x')", 'SQL_FORBIDDEN'],
  ["select fts3_tokenizer('simple')", 'SQL_FORBIDDEN'],
  [`select writefile('${outside}/x', 'y')`, 'SQL_ERROR'],
  ["select readfile('/etc/passwd')", 'SQL_ERROR'],
  ["select edit('x')", 'SQL_ERROR'],
  ['select 1；drop table t', 'SQL_ERROR'],
  ['select 1\u037e drop table t', 'SQL_ERROR'],
  ['', 'SQL_NOT_SINGLE'],
  [' ;; /* nothing */ -- at all', 'SQL_NOT_SINGLE'],
  ['select randomblob(1000000000)', 'SQL_ERROR'],
  ['select zeroblob(1000000000)', 'SQL_ERROR'],
  ['select zeroblob(60000000)', 'SQL_ERROR'],
  ["select printf('%*c', 1000000000, 'x')", 'SQL_ERROR'],
  [`select 'a' like '${'%a'.repeat(600)}'`, 'SQL_ERROR'],
]

/** Each attack as the statement of a tool that its operator believes to read. */
function declareAttacks(folder: string): object {
  const tools = attacks.map(([attack], index) => {
    const statement = attack.replace(outside, folder)
    return [`attack_${index}`, { database: 'main', description: 'Reads.', statement }] as const
  })
  return Object.fromEntries(tools.filter(([, { statement }]) => statement !== ''))
}

describe.each(['main', 'sealed'])('S11: execute_query on %s only reads', (database) => {
  it.each(attacks)('%j → %s', async (attack, code) => {
    const query = attack.replace(outside, test.folder)
    await expect(test.call('execute_query', { query, database })).rejects.toMatchObject({ code })
    await expectUnchanged()
  })
})

describe('S11: nor does any other way to read write', () => {
  it.each(
    attacks.map((each, index) => [...each, index] as const).filter(([attack]) => attack !== ''),
  )('%j → %s, as one of several queries and as a declared tool', async (attack, code, index) => {
    const query = attack.replace(outside, test.folder)
    const queries = [
      { query: 'select 1', alias: 'good' },
      { query, alias: 'bad' },
    ]
    expect(await test.call('execute_parallel_queries', { queries, database: 'main' })).toMatchObject({
      results: { good: { count: 1 }, bad: { error: { code } } },
    })
    await expect(test.call(`attack_${index}`, {})).rejects.toMatchObject({ code })
    await expectUnchanged()
  })

  /** What a cursor's process runs, without the process. */
  it.each(attacks)('%j → %s, page by page', async (attack, code) => {
    const session = new Session({
      path: join(test.folder, 'main.db'),
      alias: 'main',
      mode: 'read',
      writable: true,
      busyTimeoutMs: 100,
      rowsMax: 1,
    })
    try {
      expect(() => {
        session.openReader({ query: attack.replace(outside, test.folder) })
        session.next(4 * 1024 * 1024)
      }).toThrow(expect.objectContaining({ code }))
    } finally {
      session.close()
    }
    await expectUnchanged()
  })

  it.each([
    ['delete from t', 'SQL_READ_ONLY'],
    ['select 1; drop table t', 'SQL_NOT_SINGLE'],
    ['pragma query_only = off', 'SQL_FORBIDDEN'],
  ])('%j → %s, through a cursor of its own process', async (query, code) => {
    await expect(
      test.call('execute_query', { query, database: 'main', with_cursor: true }),
    ).rejects.toMatchObject({ code })
    await expectUnchanged()
  })
})

it.each([
  'select 1;',
  'select 1 ; ; -- no more',
  'select 1 /* ; drop table t */',
  "select ';' -- ; drop",
  '\ufeffselect 1',
  'explain query plan select * from t',
  'values (1)',
])('S11: one statement with harmless decoration passes: %j', async (query) => {
  const parsed = await test.call('execute_query', { query, database: 'main' })
  expect(parsed).toMatchObject({ count: 1 })
})

it.each([
  'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c',
  'with recursive c(x) as (select 1 union all select x + 1 from c limit 100000) select count(*) from c a, c b, c d',
])('S11, B-08: a runaway statement is stopped in its time: %s', async (query) => {
  await test.call('execute_query', { query: 'select 1', database: 'sealed' })
  const startedMs = performance.now()
  await expect(test.call('execute_query', { query, database: 'sealed' })).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  })
  expect(performance.now() - startedMs).toBeLessThan(5000)
  await expect(test.call('execute_query', { query: 'select 1', database: 'sealed' })).resolves.toMatchObject({
    count: 1,
  })
  await expectUnchanged()
})

it('S11: a statement that hoards memory is stopped before the machine suffers', async () => {
  const query = `select ${Array.from({ length: 60 }, () => 'randomblob(60000000)').join(', ')}`
  await expect(test.call('execute_query', { query, database: 'main' })).rejects.toMatchObject({
    code: 'SQL_ERROR',
    message: expect.stringContaining('512 MiB of memory'),
  })
  await expectUnchanged()
})

describe('S11: execute_transaction', () => {
  it.each([
    ['commit', 'SQL_FORBIDDEN'],
    ['rollback', 'SQL_FORBIDDEN'],
    ['begin', 'SQL_FORBIDDEN'],
    ['savepoint s', 'SQL_FORBIDDEN'],
    ['release s', 'SQL_FORBIDDEN'],
    [`attach '${outside}/other.db' as other`, 'SQL_FORBIDDEN'],
    [`vacuum into '${outside}/copy.db'`, 'SQL_ERROR'],
    ['pragma writable_schema = on', 'SQL_FORBIDDEN'],
    ['create temp table t(id)', 'SQL_FORBIDDEN'],
    ['create temp trigger x after insert on t begin select 1; end', 'SQL_FORBIDDEN'],
    ['create temp view t as select 1', 'SQL_FORBIDDEN'],
    ["create virtual table x using dbstat('main')", 'SQL_FORBIDDEN'],
    ["update sqlite_schema set sql = 'x'", 'SQL_ERROR'],
    ["select load_extension('/lib/evil.so')", 'SQL_FORBIDDEN'],
    ['delete from t; delete from t', 'SQL_NOT_SINGLE'],
    ["insert or rollback into t values (9, 'a'), (9, 'b')", 'SQL_ERROR'],
  ])('undoes all when a statement is %j → %s', async (attack, code) => {
    const queries = [{ query: 'delete from t' }, { query: attack.replace(outside, test.folder) }]
    await expect(test.call('execute_transaction', { queries, database: 'main' })).rejects.toMatchObject({
      code,
      data: { statement: 2 },
    })
    await expectUnchanged()
  })

  it('refuses a database that is not writable', async () => {
    const queries = [{ query: 'delete from t' }]
    await expect(test.call('execute_transaction', { queries, database: 'sealed' })).rejects.toMatchObject({
      code: 'SQL_READ_ONLY',
    })
    await expectUnchanged()
  })
})
