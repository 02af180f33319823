import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  changeFile,
  openTestConnection,
  sampleTables,
  type TestConnection,
} from './open-test-connection.fixture.ts'

let test: TestConnection
const query = (text: string, parameters: unknown[] = [], database = 'main') =>
  test.call('execute_query', { query: text, parameters, database })

beforeAll(async () => {
  test = await openTestConnection(sampleTables, {
    main: { url: 'sqlite:./main.db', write: true },
    analytics: { url: 'sqlite:./main.db', rowsMax: 3 },
    missing: { url: 'sqlite:./missing.db' },
    fresh: { url: 'sqlite:./fresh.db', write: true },
    homeless: { url: 'sqlite:./no-such-folder/x.db', write: true },
    junk: { url: 'sqlite:./junk.db' },
  })
  const junk = 'This is not a database, but it is long enough to look like one.'.repeat(20)
  writeFileSync(join(test.folder, 'junk.db'), junk)
})
afterAll(() => test.dispose())

it('B-05, C-25, D0-018: an unknown database is an error that lists the known ones', async () => {
  for (const tool of ['execute_query', 'execute_transaction', 'get_schema', 'execute_parallel_queries']) {
    const input = { query: 'select 1', queries: [{ query: 'select 1', alias: 'a' }], database: 'primary' }
    await expect(test.call(tool, input)).rejects.toMatchObject({
      code: 'UNKNOWN_DATABASE',
      hint: expect.stringContaining('main, analytics'),
    })
  }
  await expect(query('select 1', [], 'constructor')).rejects.toMatchObject({ code: 'UNKNOWN_DATABASE' })
})

it('D0-011, B-01: every database answers from its own file, and one that is down harms no other', async () => {
  const down = { code: 'DATABASE_UNAVAILABLE' }
  await expect(query('select 1', [], 'missing')).rejects.toMatchObject({
    ...down,
    message: 'Database missing could not be opened: its file does not exist.',
  })
  await expect(query('select 1', [], 'homeless')).rejects.toMatchObject(down)
  await expect(query('select * from sqlite_schema', [], 'junk')).rejects.toMatchObject(down)
  expect(await query('select count(*) as n from customers')).toMatchObject({ rows: [{ n: 2 }] })
  expect(existsSync(join(test.folder, 'missing.db'))).toBe(false)
  await expect(test.connection.check(new AbortController().signal)).rejects.toMatchObject({
    message: expect.stringMatching(/missing.*homeless.*junk/),
  })
})

it('a writable database whose file is missing begins empty', async () => {
  expect(await query('select count(*) as n from sqlite_schema', [], 'fresh')).toMatchObject({
    rows: [{ n: 0 }],
  })
  expect(readdirSync(test.folder)).toContain('fresh.db')
})

it('a database that was missing or replaced heals by itself', async () => {
  const path = join(test.folder, 'missing.db')
  changeFile(path, 'create table here(a); insert into here values (1)')
  expect(await query('select a from here', [], 'missing')).toMatchObject({ rows: [{ a: 1 }] })
  changeFile(`${path}.new`, 'create table here(a); insert into here values (2)')
  renameSync(`${path}.new`, path)
  await expect
    .poll(() => query('select a from here', [], 'missing'), { timeout: 5000 })
    .toMatchObject({ rows: [{ a: 2 }] })
  rmSync(path)
})
