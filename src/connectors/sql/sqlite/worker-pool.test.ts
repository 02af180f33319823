import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WeirError } from '../../../core/error.ts'
import { changeFile, openTestConnection, type TestConnection } from '../open-test-connection.fixture.ts'

const runaway = 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c'
/** Some tenths of a second of work, on any machine. */
const slow =
  'with recursive c(x) as (select 1 union all select x + 1 from c limit 2000000) select count(*) as n from c'
const setup = `
  create table t(id integer primary key, filler text);
  with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
    insert into t select i, printf('%200d', i) from n;
`

let test: TestConnection
beforeEach(async () => {
  test = await openTestConnection(setup, {
    main: { url: 'sqlite:./main.db', write: true, statementTimeoutMs: 5000 },
    single: { url: 'sqlite:./main.db', write: true, readers: 1 },
    brief: { url: 'sqlite:./main.db', write: true, statementTimeoutMs: 1000 },
  })
})
afterEach(() => test.dispose())

const query = (
  text: string,
  database = 'main',
  options: { signal?: AbortSignal; deadlineMs?: number } = {},
) => test.call('execute_query', { query: text, database }, options)
const transact = (queries: string[], database = 'main', signal?: AbortSignal) =>
  test.call(
    'execute_transaction',
    { queries: queries.map((each) => ({ query: each })), database },
    signal && { signal },
  )

/** The database processes of this test's folder. */
function processIds(mode: 'read' | 'write'): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((id) => {
      const command = commandOf(id)
      return command.includes(test.folder) && command.includes(`"mode":"${mode}"`)
    })
    .map(Number)
}

function commandOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function contentOf(file: string): unknown {
  const database = new DatabaseSync(join(test.folder, file))
  const content = database.prepare('select count(*) as n, sum(id) as ids, max(filler) as filler from t').get()
  database.close()
  return content
}

describe('cancelling', () => {
  it('R12: a running statement ends with the reason of its abort, and its process with it', async () => {
    const controller = new AbortController()
    const reason = new WeirError('CANCELLED', 'The caller left.')
    await query('select 1')
    const running = query(runaway, 'main', { signal: controller.signal })
    const before = processIds('read')
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
    await expect
      .poll(() => processIds('read').filter((id) => before.includes(id)).length)
      .toBeLessThan(before.length)
    expect(await query('select 1 as a')).toMatchObject({ rows: [{ a: 1 }] })
  })

  it('a statement that still waits is dropped and never runs', async () => {
    const controller = new AbortController()
    const first = query(slow, 'single')
    const waiting = query('select 1', 'single', { signal: controller.signal })
    controller.abort(new WeirError('CANCELLED', 'The caller left.'))
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    await first.catch(() => {})
  })

  it('the deadline of the call bounds the statement, running or waiting', async () => {
    await query('select 1', 'single')
    const deadlineMs = performance.now() + 200
    const both = await Promise.allSettled([
      query(runaway, 'single', { deadlineMs }),
      query(runaway, 'single', { deadlineMs }),
    ])
    expect(performance.now() - deadlineMs).toBeLessThan(500)
    for (const outcome of both) expect(outcome).toMatchObject({ reason: { code: 'DEADLINE_EXCEEDED' } })
  })
})

describe('a transaction that is killed', () => {
  const update = "update t set filler = 'changed' || filler"

  it.each(['delete', 'wal'])('D0-016: has changed nothing, in journal mode %s', async (mode) => {
    changeFile(join(test.folder, 'main.db'), `pragma journal_mode = ${mode}`)
    const before = contentOf('main.db')
    await expect(transact([update, runaway], 'brief')).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('changed nothing'),
    })
    expect(await query('select count(*) as n from t', 'brief')).toMatchObject({ rows: [{ n: 20_000 }] })
    expect(contentOf('main.db')).toEqual(before)
    expect(await transact(['delete from t where id = 1'], 'brief')).toMatchObject({
      results: [{ rowcount: 1 }],
    })
  })

  it('by the kernel is an error that says so, and the next one works', async () => {
    const before = contentOf('main.db')
    await transact(['select 1'])
    const running = transact([update, slow, slow])
    const failed = expect(running).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('not completed'),
    })
    await expect.poll(() => readdirSync(test.folder)).toContain('main.db-journal')
    for (const id of processIds('write')) process.kill(id, 'SIGKILL')
    await failed
    expect(await query('select count(*) as n from t')).toMatchObject({ rows: [{ n: 20_000 }] })
    expect(contentOf('main.db')).toEqual(before)
    expect(await transact(['delete from t where id = 1'])).toMatchObject({ results: [{ rowcount: 1 }] })
  })
})

describe('a commit that other programs hold up', () => {
  const path = () => join(test.folder, 'main.db')
  const update = ["update t set filler = 'changed' where id = 1"]

  /** Reads as another program does that is in no hurry: outside WAL mode nobody can commit meanwhile. */
  function startReading(): { stop(): void } {
    const other = new DatabaseSync(path(), { readOnly: true })
    other.exec('begin')
    other.prepare('select id from t').get()
    return { stop: () => other.close() }
  }

  /** A writer that waits to commit holds SQLite's pending byte, which lies at 2^30. */
  function isCommitWaiting(): boolean {
    const locks = readFileSync('/proc/locks', 'utf8')
    return processIds('write').some((id) => new RegExp(` WRITE ${id} \\S+ 1073741824 `).test(locks))
  }

  it('SQL_BUSY: waits for them within bounds, and has changed nothing', async () => {
    const before = contentOf('main.db')
    const reading = startReading()
    // Half of its ten seconds, as long as the pool once gave a commit before it knew no more.
    await expect(transact(update, 'single')).rejects.toMatchObject({ code: 'SQL_BUSY' })
    reading.stop()
    expect(contentOf('main.db')).toEqual(before)
  })

  it('OUTCOME_UNKNOWN: is not said to have failed where its process is killed', async () => {
    const reading = startReading()
    const running = transact(update)
    const failed = expect(running).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      spec: { retryable: false },
    })
    await expect.poll(isCommitWaiting, { timeout: 10_000 }).toBe(true)
    for (const id of processIds('write')) process.kill(id, 'SIGKILL')
    await failed
    reading.stop()
    expect(await query("select count(*) as n from t where filler = 'changed'")).toMatchObject({
      rows: [{ n: 0 }],
    })
  })
})

describe('sharing the processes', () => {
  it('OVERLOADED: more than 256 statements do not wait, and those that do are answered', async () => {
    await query('select 1', 'single')
    const all = await Promise.allSettled(Array.from({ length: 300 }, () => query('select 1', 'single')))
    const refused = all.filter((outcome) => outcome.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    expect(all.length - refused.length).toBeGreaterThanOrEqual(256)
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'OVERLOADED' } })
  })

  it('a slow statement does not hold up the fast ones sent with it', async () => {
    await Promise.all([query('select 1'), query('select 1'), query('select 1')])
    const done: string[] = []
    const running = query(runaway).catch(() => done.push('slow'))
    await Promise.all(
      Array.from({ length: 40 }, async () => done.push(String((await query('select 1')) && 'fast'))),
    )
    expect(done).toEqual(Array.from({ length: 40 }, () => 'fast'))
    await running
  })

  it('a process that dies fails the statement it ran and no other', async () => {
    // A process is busy while it starts, too; what is killed here has to be at work.
    await query('select 1', 'single')
    await query('select 1', 'single')
    const [idle] = processIds('read')
    const usedBefore = cpuOf(idle!)
    const doomed = expect(query(runaway, 'single')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await expect.poll(() => cpuOf(idle!) - usedBefore, { timeout: 10_000 }).toBeGreaterThan(10)
    const behind = query('select 1 as a', 'single')
    for (const id of processIds('read')) process.kill(id, 'SIGKILL')
    await doomed
    expect(await behind).toMatchObject({ rows: [{ a: 1 }] })
  })

  it('readers read on beside a writer in WAL mode, and see whole commits only', async () => {
    changeFile(join(test.folder, 'main.db'), 'pragma journal_mode = wal')
    const writing = transact(['update t set id = -id', slow, 'update t set id = -id'])
    const seen = new Set<unknown>()
    let open = true
    void writing.finally(() => {
      open = false
    })
    while (open) {
      const answer = (await query('select min(id) > 0 as whole from t')) as { rows: { whole: number }[] }
      seen.add(answer.rows[0]!.whole)
    }
    await writing
    expect([...seen]).toEqual([1])
  })

  it('keeps no more statements than it has room for', async () => {
    for (let index = 0; index < 300; index++) await query(`select ${index} as n`, 'single')
    expect(await query('select 7 as n', 'single')).toMatchObject({ rows: [{ n: 7 }] })
  })
})

describe('ending', () => {
  it('close() stops what runs and leaves no process', async () => {
    const running = expect(query(runaway)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await transact(['select 1'])
    await test.connection.close()
    await running
    expect([...processIds('read'), ...processIds('write')]).toEqual([])
    await expect(query('select 1')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await test.connection.close()
  })

  it('R5: a database process outlives neither an idle nor a busy Weir that is killed', async () => {
    for (const statement of ['select 1', runaway]) {
      const weir = startWeir(statement)
      await expect.poll(() => processIds('read').length, { timeout: 10_000 }).toBeGreaterThan(0)
      if (statement === runaway)
        await expect.poll(() => processIds('read').some(isBusy), { timeout: 10_000 }).toBe(true)
      weir.kill('SIGKILL')
      await once(weir, 'exit')
      await expect.poll(() => processIds('read'), { timeout: 5000 }).toEqual([])
    }
  })
})

/** How much CPU a process has used, in hundredths of a second (field 14). */
function cpuOf(id: number): number {
  return Number(readFileSync(`/proc/${id}/stat`, 'utf8').split(' ')[13])
}

/** It has run a statement for a while: none takes half a second of CPU to start. */
function isBusy(id: number): boolean {
  return cpuOf(id) > 50
}

/** Another process that opens the connection, runs one statement and stays. */
function startWeir(statement: string): ChildProcess {
  const module = fileURLToPath(new URL('../open-test-connection.fixture.ts', import.meta.url))
  const script = `
    const { sql } = await import(${JSON.stringify(module)})
    const config = sql.config.parse({ databases: { main: { url: 'sqlite:./main.db' } } })
    const signal = new AbortController().signal
    const connection = await sql.open(config, { baseDir: ${JSON.stringify(test.folder)}, signal })
    const input = { query: ${JSON.stringify(statement)}, database: 'main' }
    await connection.targets()[0].run(input, { signal, deadlineMs: Infinity })
    setInterval(() => {}, 1000)`
  return spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], { stdio: 'inherit' })
}
