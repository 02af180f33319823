import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import type { Database, Statement } from '../dialect.ts'
import { patient } from '../server/patient.fixture.ts'
import { createMySqlSandbox, type MySqlSandbox } from './mysql.fixture.ts'

const canary = '/tmp/weir-canary-mysql'
const setup = `
  create table t(id int primary key, name varchar(20)); insert into t values (1, 'one'), (2, 'two');
  create table m(a int) engine=MyISAM;
  create sequence s;
  create view v as select * from t;
  create function sneak() returns int modifies sql data begin insert into m values (1); return 1; end;
  create procedure walk() begin delete from m; delete from t; select 1; end;`

const attacks: [string, string][] = [
  ['COMMIT; DROP TABLE t', 'SQL_ERROR'],
  ['select 1; drop table t', 'SQL_ERROR'],
  ["select ';'; delete from t", 'SQL_ERROR'],
  ["select '\\'; delete from t; -- '; delete from t", 'SQL_ERROR'],
  ['select 1 -- harmless\n; delete from t', 'SQL_ERROR'],
  ['select 1 /*! ; drop table t */', 'SQL_ERROR'],
  ['/*! drop table t */', 'SQL_READ_ONLY'],
  ['/*M! delete from t */', 'SQL_READ_ONLY'],
  ['select 1\0; drop table t', 'INVALID_INPUT'],
  ['delete from t', 'SQL_READ_ONLY'],
  ['/* select */ delete from m', 'SQL_READ_ONLY'],
  ["insert into t values (3, 'three') returning *", 'SQL_READ_ONLY'],
  ['delete from m returning a', 'SQL_READ_ONLY'],
  ["replace into t values (1, 'x') returning *", 'SQL_READ_ONLY'],
  ["update v set name = 'x'", 'SQL_READ_ONLY'],
  ["analyze update t set name = 'x'", 'SQL_READ_ONLY'],
  ['explain delete from t', 'SQL_READ_ONLY'],
  ['select * from t for update', 'SQL_READ_ONLY'],
  ['select sneak()', 'SQL_READ_ONLY'],
  ['call walk()', 'SQL_READ_ONLY'],
  ['begin not atomic delete from m; select 1; end', 'SQL_READ_ONLY'],
  ['select nextval(s)', 'SQL_READ_ONLY'],
  ['select setval(s, 99)', 'SQL_READ_ONLY'],
  ['create table x(a int)', 'SQL_READ_ONLY'],
  ['create table x as select * from t', 'SQL_READ_ONLY'],
  ['create temporary table x(a int)', 'SQL_READ_ONLY'],
  ['drop table t', 'SQL_READ_ONLY'],
  ['truncate t', 'SQL_READ_ONLY'],
  ['alter table t add b int', 'SQL_READ_ONLY'],
  ['analyze table t', 'SQL_READ_ONLY'],
  ['optimize table t', 'SQL_READ_ONLY'],
  ['repair table m', 'SQL_READ_ONLY'],
  ['lock tables t write', 'SQL_READ_ONLY'],
  ['flush tables', 'SQL_READ_ONLY'],
  ['commit', 'SQL_READ_ONLY'],
  ['rollback', 'SQL_READ_ONLY'],
  ['start transaction read write', 'SQL_READ_ONLY'],
  ['set transaction read write', 'SQL_READ_ONLY'],
  ['set session transaction read write', 'SQL_READ_ONLY'],
  ['set @@tx_read_only = 0', 'SQL_READ_ONLY'],
  ['set statement tx_read_only = 0 for delete from t', 'SQL_READ_ONLY'],
  ['set statement tx_read_only = 0 for select sneak()', 'SQL_READ_ONLY'],
  ["xa end 'x'", 'SQL_READ_ONLY'],
  ["execute immediate 'delete from t'", 'SQL_ERROR'],
  ["prepare q from 'delete from t'", 'SQL_ERROR'],
  ['handler t open', 'SQL_READ_ONLY'],
  ['do release_all_locks()', 'SQL_READ_ONLY'],
  [`select 1 into outfile '${canary}'`, 'SQL_ERROR'],
  [`select 1 into dumpfile '${canary}'`, 'SQL_ERROR'],
  ["load data infile '/etc/passwd' into table m", 'SQL_READ_ONLY'],
  ["load data local infile '/etc/passwd' into table m", 'SQL_READ_ONLY'],
  ['select 1 into @x', 'SQL_READ_ONLY'],
  ['kill 1', 'SQL_READ_ONLY'],
  ["set global general_log_file = '/tmp/x'", 'SQL_ERROR'],
  ['grant all on *.* to current_user', 'SQL_READ_ONLY'],
  ["install soname 'x'", 'SQL_READ_ONLY'],
  ['', 'SQL_NOT_SINGLE'],
]

/** What a read may do for as long as it runs, and what is gone when it has ended. */
const fleeting = [
  "select @canary := 'left'",
  "select get_lock('weir-canary', 0)",
  'select last_insert_id(99)',
  'select sql_calc_found_rows id from t limit 1',
  "set statement max_statement_time = 0, sql_mode = '' for select 1",
]

describeWith('mariadb', 'MariaDB under attack', (url) => {
  let box: MySqlSandbox
  let before: unknown

  /** Everything that a statement could have changed. */
  async function fingerprint(): Promise<unknown> {
    const [rows] = await box.admin.query(
      `select (select group_concat(id, name order by id) from t) as t, (select count(*) from m) as m,
        (select group_concat(table_name order by table_name) from information_schema.tables where table_schema = ?) as tables,
        (select group_concat(column_name order by 1) from information_schema.columns where table_schema = ?) as columns,
        (select next_not_cached_value from s) as s, is_used_lock('weir-canary') as locked, load_file('${canary}') as file,
        (select count(*) from mysql.global_priv where user = ?) as users, @@general_log_file as log`,
      [box.name, box.name, box.name],
    )
    return rows
  }

  beforeAll(async () => {
    box = await createMySqlSandbox(url, setup)
    before = await fingerprint()
  })
  afterAll(() => box.dispose())

  describe.each([true, false])('S11: execute_query only reads, `write: %s`', (write) => {
    let database: Database
    beforeAll(() => {
      database = box.open({ write, pool: { min: 1, max: write ? 2 : 1, idleMs: 1000 } })
    })

    it.each(attacks)('%j → %s', async (query, code) => {
      await expect(database.read({ query }, 1000, patient())).rejects.toMatchObject({ code })
      expect(await fingerprint()).toEqual(before)
    })

    it.each(fleeting)('%s: leaves nothing behind', async (query) => {
      const look = `select connection_id() as id, @canary as canary, is_used_lock('weir-canary') as locked, last_insert_id() as last,
        @@tx_read_only as sealed, @@sql_mode as mode, @@max_statement_time as time, @@in_transaction as inside`
      const see = async () => (await database.read({ query: look }, 10_000, patient())).rows
      const clean = await see()
      expect(clean).toMatchObject([{ canary: null, sealed: 1 }])
      await database.read({ query }, 1000, patient())
      expect(await see()).toEqual(clean)
      expect(await fingerprint()).toEqual(before)
    })
  })

  it('S11: one statement with harmless decoration passes', async () => {
    const database = box.open()
    for (const query of [
      'select 1;',
      'select 1 /* ; drop table t */',
      "select ';' -- ; drop",
      'values (1)',
      'show tables',
      'explain select * from t',
      'describe t',
    ]) {
      expect((await database.read({ query }, 10_000, patient())).count).toBeGreaterThan(0)
    }
  })

  it('S11: a login that reaches beyond its database is not used, by itself or by a role', async () => {
    const reads = (config: object) => box.open(config).read({ query: 'select 1' }, 1000, patient())
    const refused = { code: 'DATABASE_UNAVAILABLE', hint: expect.stringContaining('allowAdminRole') }
    await expect(reads({ url: box.adminUrl })).rejects.toMatchObject(refused)
    await expect(
      box.open({ url: box.adminUrl }).transact([{ query: 'delete from t' }], { bytesMax: 100 }, patient()),
    ).rejects.toMatchObject(refused)
    const role = `${box.name}_r`
    for (const [grant, revoke] of [
      [`grant file on *.* to ${box.name}`, `revoke file on *.* from ${box.name}`],
      [`grant create user on *.* to ${box.name}`, `revoke create user on *.* from ${box.name}`],
      [`grant insert on mysql.* to ${box.name}`, `revoke insert on mysql.* from ${box.name}`],
      [
        `create role ${role}; grant super on *.* to ${role}; grant ${role} to ${box.name}`,
        `drop role ${role}`,
      ],
    ] as const) {
      await box.admin.query(grant)
      await expect(reads({}), grant).rejects.toMatchObject(refused)
      await box.admin.query(revoke)
      expect(await reads({}), revoke).toMatchObject({ count: 1 })
    }
    const file = await reads({})
    expect(file).toMatchObject({ count: 1 })
    expect(
      (await box.open().read({ query: "select load_file('/etc/passwd') as f" }, 1000, patient())).rows,
    ).toEqual([{ f: null }])
    expect(await fingerprint()).toEqual(before)
  })

  it('S11: `allowAdminRole` keeps rows from being written', async () => {
    const database = box.open({ url: box.adminUrl, allowAdminRole: true })
    await expect(
      database.read({ query: 'delete from t returning id' }, 1000, patient()),
    ).rejects.toMatchObject({ code: 'SQL_READ_ONLY' })
    await expect(database.read({ query: 'drop table t' }, 1000, patient())).rejects.toMatchObject({
      code: 'SQL_READ_ONLY',
    })
    expect(await fingerprint()).toEqual(before)
  })

  it('S11, B-08: a runaway statement is stopped in its time, and rows and bytes are capped', async () => {
    const hasty = box.open({ statementTimeoutMs: 300 })
    const database = box.open({ rowsMax: 3 })
    const read = (query: string, on = database) => on.read({ query }, 1000, patient())
    const late = { code: 'DEADLINE_EXCEEDED' }
    await expect(
      read('select count(*) from seq_1_to_1000000000 a join seq_1_to_1000000000 b', hasty),
    ).rejects.toMatchObject(late)
    await expect(
      read('set statement max_statement_time = 0 for select sleep(30)', hasty),
    ).rejects.toMatchObject(late)
    expect(await read('select seq from seq_1_to_1000000')).toMatchObject({ count: 3, truncated: true })
    expect(await read('select seq from seq_1_to_1000000 limit 900000')).toMatchObject({
      count: 3,
      truncated: true,
    })
    expect(await read("select repeat('x', 400) as x from seq_1_to_3")).toMatchObject({
      count: 2,
      truncated: true,
    })
    await expect(read("select repeat('x', 2000) as x")).rejects.toMatchObject({ code: 'SQL_ERROR' })
    expect(await read('select 1 as a')).toMatchObject({ count: 1 })
  })

  describe('S11: execute_transaction', () => {
    it.each([
      ['commit', 'SQL_FORBIDDEN'],
      ['/* */ commit -- x', 'SQL_FORBIDDEN'],
      ['rollback', 'SQL_FORBIDDEN'],
      ['begin', 'SQL_FORBIDDEN'],
      ['create table x(a int)', 'SQL_FORBIDDEN'],
      ['drop table t', 'SQL_FORBIDDEN'],
      ['/*! drop table t */', 'SQL_FORBIDDEN'],
      ['truncate t', 'SQL_FORBIDDEN'],
      ['lock tables t write', 'SQL_FORBIDDEN'],
      ['grant select on t to current_user', 'SQL_FORBIDDEN'],
      ["xa end 'x'", 'SQL_ERROR'],
      ['delete from t; commit', 'SQL_ERROR'],
      ["load data local infile '/etc/passwd' into table m", 'SQL_ERROR'],
      [`select 1 into outfile '${canary}'`, 'SQL_ERROR'],
      ['', 'SQL_NOT_SINGLE'],
    ])('undoes all when a statement is %j → %s', async (query, code) => {
      const statements: Statement[] = [{ query: 'delete from t' }, { query }]
      await expect(box.open().transact(statements, { bytesMax: 1000 }, patient())).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/^Statement 2 of 2: .*Nothing was changed\.$/s),
        data: { statement: 2 },
      })
      expect(await fingerprint()).toEqual(before)
    })

    it('refuses a database that is not writable', async () => {
      await expect(
        box.open({ write: false }).transact([{ query: 'delete from t' }], { bytesMax: 1000 }, patient()),
      ).rejects.toMatchObject({
        code: 'SQL_READ_ONLY',
      })
    })
  })
})
