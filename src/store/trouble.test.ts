import { execFile } from 'node:child_process'
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { openStore } from './open-store.ts'
import { makeFolder, openIn, pinNamed, tokensOf } from './store.fixture.ts'

const run = promisify(execFile)
const fixture = (name: string) => join(import.meta.dirname, name)
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

it('makes folder, ignore file, database and key, for this user alone', async () => {
  const baseDir = makeFolder()
  const { credentials } = await openIn(baseDir, { url: 'sqlite:./.weir/weir.db' })
  await credentials.put(tokensOf('ada'), 'secret')
  const folder = join(baseDir, '.weir')
  const files = ['', '.gitignore', 'weir.db', 'weir.db-wal', 'weir.db-shm', 'key']
  const modes = files.map((name) => modeOf(join(folder, name)))
  expect(modes).toEqual(['700', '600', '600', '600', '600', '600'])
  expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n')
})

it('leaves a folder that was there as it is', async () => {
  const baseDir = makeFolder()
  chmodSync(baseDir, 0o755)
  await openIn(baseDir)
  expect([modeOf(baseDir), existsSync(join(baseDir, '.gitignore'))]).toEqual(['755', false])
})

it.each([
  'postgres://ada:hunter2@db/weir',
  'sqlite:',
  'sqlite://host/x',
  'weir.db',
  '',
])('refuses the address “%s”, and shows no password of it', async (url) => {
  const opened = openStore({ url, baseDir: '.', log: silentLogger })
  await expect(opened).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(opened).rejects.not.toThrow('hunter2')
})

it('says which file is no database, and leaves it as it was', async () => {
  const folder = makeFolder()
  const path = join(folder, 'weir.db')
  writeFileSync(path, 'These are my notes. '.repeat(500))
  const before = readFileSync(path)
  await expect(openIn(folder)).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining(`${path} is damaged or no SQLite database`),
    hint: expect.stringContaining('backup'),
  })
  expect(readFileSync(path)).toEqual(before)
})

it('says that a damaged page is damage, and not that nothing is there', async () => {
  const folder = makeFolder()
  const first = await openIn(folder)
  await first.pins.put(Array.from({ length: 500 }, (_, index) => pinNamed(`tool ${index}`)))
  await first.close()
  const bytes = readFileSync(join(folder, 'weir.db'))
  bytes.fill(0xff, 4096 * 2)
  writeFileSync(join(folder, 'weir.db'), bytes)
  const reading = openIn(folder).then(({ pins }) => pins.list())
  await expect(reading).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
})

it('does not touch the store of a newer Weir', async () => {
  const folder = makeFolder()
  await (await openIn(folder)).close()
  const database = new DatabaseSync(join(folder, 'weir.db'))
  database.exec(`insert into weir_migration values ('9999-later', '2030-01-01T00:00:00.000Z')`)
  database.close()
  await expect(openIn(folder)).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining('newer Weir'),
    hint: expect.stringContaining('store.url'),
  })
})

it('waits for a process that holds the file when it is opened, and says so where that lasts', async () => {
  const folder = makeFolder()
  const database = new DatabaseSync(join(folder, 'weir.db'))
  database.exec('begin exclusive')
  setTimeout(() => database.exec('commit'), 500)
  const stores = await openIn(folder)
  await stores.pins.put([pinNamed('a')])
  await stores.close()
  database.exec('pragma locking_mode = exclusive; begin exclusive')
  await expect(openIn(folder)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: `The store ${join(folder, 'weir.db')} is locked by another process.`,
  })
  database.close()
})

it('does not touch another program’s database', async () => {
  const folder = makeFolder()
  const path = join(folder, 'weir.db')
  const database = new DatabaseSync(path)
  database.exec('create table pins (id integer primary key)')
  database.close()
  const before = readFileSync(path)
  await expect(openIn(folder)).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining('another program’s database: it has the table pins'),
  })
  expect([readFileSync(path), readdirSync(folder)]).toEqual([before, ['weir.db']])
})

it('R16: lets several processes share one file from its making, and loses none of their writes', async () => {
  const folder = makeFolder()
  const processes = [30, 40, 50].map((count) =>
    run(process.execPath, ['--no-warnings', fixture('counter.fixture.ts'), folder, String(count)]),
  )
  await Promise.all(processes)
  const { credentials } = await openIn(folder)
  const key = { connection: 'api', tenant: '', subject: '', issuer: 'i', kind: 'tokens' }
  expect((await credentials.get(key))?.value).toBe('120')
})

/** Permissions say nothing to root, so its child is somebody else. */
const stranger = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
const openAsStranger = async (folder: string) =>
  (await run(process.execPath, ['--no-warnings', fixture('opener.fixture.ts'), folder], stranger)).stdout

it.skipIf(process.platform === 'win32')('says which folder it may not write in', async () => {
  const folder = makeFolder()
  chmodSync(join(folder, '..'), 0o711)
  chmodSync(folder, 0o555)
  expect(await openAsStranger(folder)).toMatch(/^STORE_UNUSABLE: The store .*weir\.db cannot be .*\(EACCES\)/)
})

it.skipIf(process.platform === 'win32')('says which file it may not write', async () => {
  const folder = makeFolder()
  chmodSync(join(folder, '..'), 0o711)
  await (await openIn(folder)).close()
  chmodSync(folder, 0o777)
  chmodSync(join(folder, 'weir.db'), 0o444)
  expect(await openAsStranger(folder)).toMatch(/^STORE_UNUSABLE: The store .*weir\.db cannot be .*\(EACCES\)/)
  if (stranger.uid !== undefined) chownSync(join(folder, 'weir.db'), stranger.uid, stranger.uid)
  chmodSync(join(folder, 'weir.db'), 0o600)
  expect(await openAsStranger(folder)).toBe('opened')
})
