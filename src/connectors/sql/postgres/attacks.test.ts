import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import type { Database, Statement } from '../dialect.ts'
import { patient } from '../server/patient.fixture.ts'
import { createPgSandbox, type PgSandbox } from './postgres.fixture.ts'

const setup = `
  create table t(id int primary key, name text);
  insert into t values (1, 'one'), (2, 'two');
  create sequence s;
  create view v as select * from t;
  create function sneak() returns int language plpgsql volatile as
    $$ begin insert into t values (99, 'sneaked'); return 1; end $$;
  create procedure walk(inout n int) language plpgsql as $$ begin delete from t; end $$;`
const canary = '/tmp/weir-canary'

/** Everything that a statement could have changed: rows, definitions, sequences, settings, roles, files. */
const fingerprint = `select md5(concat_ws('|',
  (select string_agg(t::text, ',' order by id) from t), (select last_value::text || is_called::text from s),
  (select string_agg(relname || relkind::text, ',' order by relname) from pg_class where relnamespace = 'public'::regnamespace),
  (select string_agg(proname, ',' order by proname) from pg_proc where pronamespace = 'public'::regnamespace),
  (select string_agg(s::text, ',') from pg_db_role_setting s where setdatabase = (select oid from pg_database where datname = current_database())),
  (select rolsuper::text || rolconnlimit::text || coalesce(rolconfig::text, '') from pg_roles where rolname = current_database()),
  (select count(*)::text from pg_prepared_xacts), (select count(*)::text from pg_largeobject_metadata),
  (pg_stat_file('${canary}', true)).size::text)) as hash,
  (select count(*) from pg_locks where locktype = 'advisory'
    and database = (select oid from pg_database where datname = current_database())) as locks`

const attacks: [string, string][] = [
  ['COMMIT; DROP TABLE t', 'SQL_NOT_SINGLE'],
  ['select 1; drop table t', 'SQL_NOT_SINGLE'],
  ['select 1 /* ; */; delete from t', 'SQL_NOT_SINGLE'],
  ["select ';'; delete from t", 'SQL_NOT_SINGLE'],
  ['select 1 -- harmless\n; delete from t', 'SQL_NOT_SINGLE'],
  ["select E'\\'; delete from t; --'; delete from t", 'SQL_NOT_SINGLE'],
  ['select $$;$$; delete from t', 'SQL_NOT_SINGLE'],
  ['select 1\0; drop table t', 'INVALID_INPUT'],
  ['/* select */ delete from t', 'SQL_READ_ONLY'],
  ['delete from t', 'SQL_READ_ONLY'],
  ['delete from t returning *', 'SQL_READ_ONLY'],
  ["insert into t values (3, 'three') returning *", 'SQL_READ_ONLY'],
  ["update v set name = 'x' returning *", 'SQL_READ_ONLY'],
  ['with x as (delete from t returning *) select * from x', 'SQL_READ_ONLY'],
  ['explain analyze delete from t', 'SQL_READ_ONLY'],
  ['select * into x from t', 'SQL_READ_ONLY'],
  ['select * from t for update', 'SQL_READ_ONLY'],
  ['create table x as select * from t', 'SQL_READ_ONLY'],
  ['create temp table x(a int)', 'SQL_READ_ONLY'],
  ['drop table t', 'SQL_READ_ONLY'],
  ['truncate t', 'SQL_READ_ONLY'],
  ['vacuum', 'SQL_READ_ONLY'],
  ['select sneak()', 'SQL_READ_ONLY'],
  ['call walk(1)', 'SQL_READ_ONLY'],
  ['do $$ begin delete from t; end $$', 'SQL_READ_ONLY'],
  ["select nextval('s')", 'SQL_READ_ONLY'],
  ["select setval('s', 99)", 'SQL_READ_ONLY'],
  ['commit', 'SQL_READ_ONLY'],
  ['rollback', 'SQL_READ_ONLY'],
  ['commit and chain', 'SQL_READ_ONLY'],
  ["prepare transaction 'x'", 'SQL_READ_ONLY'],
  ['begin read write', 'SQL_READ_ONLY'],
  ['set transaction read write', 'SQL_READ_ONLY'],
  ['set session characteristics as transaction read write', 'SQL_READ_ONLY'],
  ['set default_transaction_read_only = off', 'SQL_READ_ONLY'],
  ['reset all', 'SQL_READ_ONLY'],
  ['discard all', 'SQL_READ_ONLY'],
  ['prepare p as delete from t', 'SQL_READ_ONLY'],
  ['deallocate all', 'SQL_READ_ONLY'],
  ['execute weir_rollback', 'SQL_READ_ONLY'],
  ['listen x', 'SQL_READ_ONLY'],
  ['lock table t', 'SQL_READ_ONLY'],
  ["load 'auto_explain'", 'SQL_READ_ONLY'],
  ["select set_config('transaction_read_only', 'off', false)", 'SQL_ERROR'],
  ["select set_config('transaction_read_only', 'off', true), sneak()", 'SQL_ERROR'],
  ["select set_config('role', 'postgres', false)", 'SQL_ERROR'],
  ["select set_config('session_authorization', 'postgres', false)", 'SQL_ERROR'],
  ["select pg_read_file('/etc/passwd')", 'SQL_ERROR'],
  ["select pg_read_binary_file('/etc/passwd')", 'SQL_ERROR'],
  ["select * from pg_ls_dir('/')", 'SQL_ERROR'],
  ["select query_to_xml('select pg_read_file(''/etc/passwd'')', true, true, '')", 'SQL_ERROR'],
  ["select query_to_xml('delete from t', true, true, '')", 'SQL_ERROR'],
  [
    "select set_config('role', 'none', true), query_to_xml('select pg_read_file(''/etc/passwd'')', true, true, '')",
    'SQL_ERROR',
  ],
  ["select lo_import('/etc/passwd')", 'SQL_ERROR'],
  [`select lo_export(1, '${canary}')`, 'SQL_ERROR'],
  [`copy t to '${canary}'`, 'SQL_READ_ONLY'],
  [`copy (select 1) to program 'touch ${canary}'`, 'SQL_READ_ONLY'],
  ['copy t to stdout', 'SQL_READ_ONLY'],
  ['copy t from stdin', 'SQL_READ_ONLY'],
  [`select query_to_xml('copy t to program ''touch ${canary}''', true, true, '')`, 'SQL_ERROR'],
  ['select pg_reload_conf()', 'SQL_ERROR'],
  ['select pg_rotate_logfile()', 'SQL_ERROR'],
  ['select pg_stat_reset()', 'SQL_ERROR'],
  ["select * from pg_create_logical_replication_slot('x', 'test_decoding')", 'SQL_ERROR'],
  ["alter system set log_statement = 'all'", 'SQL_READ_ONLY'],
  ['alter role current_user superuser', 'SQL_READ_ONLY'],
  ['select 1；drop table t', 'SQL_ERROR'],
  ['', 'SQL_READ_ONLY'],
]

/** What a read may do for as long as it runs, and what is gone when it has ended. */
const fleeting = [
  // The server lets this one through a read-only transaction; the rollback undoes it.
  'explain (analyze) create table x as select 1',
  "select set_config('default_transaction_read_only', 'off', false)",
  "select set_config('statement_timeout', '0', false)",
  "select set_config('search_path', 'pg_temp', false)",
  "select set_config('weir.canary', 'left', false)",
  'select pg_advisory_lock(42)',
  'select pg_try_advisory_lock_shared(43)',
  "select pg_notify('weir', 'canary')",
  "select lo_from_bytea(0, 'canary')",
  'select pg_export_snapshot()',
]

describeWith('postgres', 'PostgreSQL under attack', (url) => {
  let box: PgSandbox
  let hash: string

  beforeAll(async () => {
    box = await createPgSandbox(url, setup)
    hash = (await box.admin.query(fingerprint)).rows[0].hash
  })
  afterAll(() => box.dispose())

  async function expectUnchanged(): Promise<void> {
    const { rows } = await box.admin.query(fingerprint)
    expect(rows[0]).toEqual({ hash, locks: '0' })
  }

  describe.each([true, false])('S11: execute_query only reads, `write: %s`', (write) => {
    let database: Database
    beforeAll(() => {
      database = box.open({ write, pool: { min: 1, max: 2, idleMs: 1000 } })
    })

    it.each(attacks)('%j → %s', async (query, code) => {
      await expect(database.read({ query }, 1000, patient())).rejects.toMatchObject({ code })
      await expectUnchanged()
    })

    it.each(fleeting)('%s: leaves nothing behind', async (query) => {
      const single = box.open({ write, pool: { min: 1, max: write ? 2 : 1, idleMs: 1000 } })
      const before = await snapshot(single)
      await single.read({ query }, 1000, patient())
      expect(await snapshot(single)).toEqual(before)
      await expectUnchanged()
    })
  })

  it('S11: one statement with harmless decoration passes', async () => {
    const database = box.open()
    for (const query of [
      'select 1;',
      'select 1 /* ; drop table t */',
      "select ';' -- ; drop",
      'values (1)',
      'table v',
      'show timezone',
      'explain select * from t',
    ]) {
      expect((await database.read({ query }, 1000, patient())).count).toBeGreaterThan(0)
    }
  })

  it('S11: a login that reaches beyond its database is not used, whatever it would do', async () => {
    const reads = (config: object) => box.open(config).read({ query: 'select 1' }, 1000, patient())
    const refused = { code: 'DATABASE_UNAVAILABLE', hint: expect.stringContaining('allowAdminRole') }
    await expect(reads({ url: box.adminUrl })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('a superuser'),
    })
    await expect(
      box.open({ url: box.adminUrl }).transact([{ query: 'delete from t' }], { bytesMax: 100 }, patient()),
    ).rejects.toMatchObject(refused)
    for (const [grant, revoke] of [
      ['grant pg_read_server_files to %', 'revoke pg_read_server_files from %'],
      ['grant pg_execute_server_program to %', 'revoke pg_execute_server_program from %'],
      [
        'alter role % noinherit; grant pg_signal_backend to %',
        'revoke pg_signal_backend from %; alter role % inherit',
      ],
      ['alter role % createrole', 'alter role % nocreaterole'],
      ['alter role % replication', 'alter role % noreplication'],
      [
        'grant execute on function pg_read_file(text) to %',
        'revoke execute on function pg_read_file(text) from %',
      ],
      ['create extension dblink', 'drop extension dblink'],
    ] as const) {
      await box.admin.query(grant.replaceAll('%', box.name))
      await expect(reads({}), grant).rejects.toMatchObject(refused)
      await box.admin.query(revoke.replaceAll('%', box.name))
      expect(await reads({}), revoke).toMatchObject({ count: 1 })
    }
    await expectUnchanged()
  })

  it('S11: `allowAdminRole` keeps rows from being written, and nothing else', async () => {
    const database = box.open({ url: box.adminUrl, allowAdminRole: true })
    await expect(
      database.read({ query: 'delete from t returning *' }, 1000, patient()),
    ).rejects.toMatchObject({
      code: 'SQL_READ_ONLY',
    })
    await expectUnchanged()
    const file = await database.read({ query: "select pg_read_file('PG_VERSION') as v" }, 1000, patient())
    expect(file).toMatchObject({ count: 1 })
  })

  it('S11, B-08: a runaway statement is stopped in its time, and rows and bytes are capped', async () => {
    const hasty = box.open({ statementTimeoutMs: 300 })
    const database = box.open({ rowsMax: 3 })
    const read = (query: string, on = database) => on.read({ query }, 1000, patient())
    const runaway = 'select count(*) from generate_series(1, 1e9::int) a, generate_series(1, 1e9::int) b'
    await expect(read(runaway, hasty)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await expect(
      read("select set_config('statement_timeout', '0', false), pg_sleep(30)"),
    ).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    })
    expect(await read('select generate_series(1, 1000000000)')).toMatchObject({
      count: 3,
      truncated: true,
    })
    expect(await read("select repeat('x', 400) as x from generate_series(1, 3)")).toMatchObject({
      count: 2,
      truncated: true,
    })
    await expect(read("select repeat('x', 2000) as x")).rejects.toMatchObject({ code: 'SQL_ERROR' })
    await expect(read("select repeat('x', 30000000) as x")).rejects.toMatchObject({ code: 'SQL_ERROR' })
    expect(await read('select 1 as a')).toMatchObject({ count: 1 })
  })

  describe('S11: execute_transaction', () => {
    it.each([
      ['commit', 'SQL_FORBIDDEN'],
      ['/* */ commit -- x', 'SQL_FORBIDDEN'],
      ['end', 'SQL_FORBIDDEN'],
      ['commit and chain', 'SQL_FORBIDDEN'],
      ['rollback', 'SQL_FORBIDDEN'],
      ['rollback to s', 'SQL_FORBIDDEN'],
      ["prepare transaction 'x'", 'SQL_FORBIDDEN'],
      ['begin', 'SQL_FORBIDDEN'],
      ['savepoint s', 'SQL_FORBIDDEN'],
      ['', 'SQL_FORBIDDEN'],
      ['copy t to stdout', 'SQL_FORBIDDEN'],
      ['copy t from stdin', 'SQL_FORBIDDEN'],
      [`copy t to program 'touch ${canary}'`, 'SQL_ERROR'],
      ['delete from t; commit', 'SQL_NOT_SINGLE'],
      ['do $$ begin commit; end $$', 'SQL_ERROR'],
      ['vacuum', 'SQL_ERROR'],
      ["alter system set log_statement = 'all'", 'SQL_ERROR'],
      ['select 1\0', 'INVALID_INPUT'],
    ])('undoes all when a statement is %j → %s', async (query, code) => {
      const statements: Statement[] = [{ query: 'delete from t' }, { query }]
      const database = box.open()
      await expect(database.transact(statements, { bytesMax: 1000 }, patient())).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/^Statement 2 of 2: .*Nothing was changed\.$/s),
        data: { statement: 2 },
      })
      await expectUnchanged()
    })

    it('refuses a database that is not writable', async () => {
      const sealed = box.open({ write: false })
      await expect(
        sealed.transact([{ query: 'delete from t' }], { bytesMax: 1000 }, patient()),
      ).rejects.toMatchObject({
        code: 'SQL_READ_ONLY',
      })
      await expectUnchanged()
    })
  })
})

/** What a session shows of itself to whoever has it next. */
async function snapshot(database: Database): Promise<unknown> {
  const query = `select pg_backend_pid() as pid, current_user, session_user, array(select pg_listening_channels()) as channels,
    coalesce(current_setting('weir.canary', true), '') as canary,
    (select md5(string_agg(name || setting, ',' order by name)) from pg_settings where name not like 'weir.%' and name <> 'transaction_isolation') as settings,
    (select count(*) from pg_prepared_statements where from_sql) as prepared, (select count(*) from pg_cursors where name <> '') as cursors,
    (select count(*) from pg_class where relpersistence = 't') as temporary,
    (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`
  return (await database.read({ query }, 100_000, patient())).rows
}
