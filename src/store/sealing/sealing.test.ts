import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import type { Logger } from '../../core/logger.ts'
import { makeFolder, openIn, tokensOf } from '../store.fixture.ts'
import { keyFromFile } from './read-key.ts'
import { createSealingKey, openSealed, seal } from './seal.ts'

const canary = 'CANARY-b1946ac92492d234'

/** Runs a statement on the file, as somebody with a database browser would. */
function tamper(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'weir.db'))
  database.exec(sql)
  database.close()
}

it('S16: has no secret in any file, error or log line', async () => {
  const folder = makeFolder()
  const said: unknown[] = []
  const write = (...line: unknown[]) => void said.push(line)
  const log: Logger = { debug: write, info: write, warn: write, error: write }
  const { credentials } = await openIn(folder, { log })
  const keep = (thrown: unknown) => void said.push(thrown)
  for (let index = 0; index < 20; index += 1)
    await credentials.put(tokensOf(`user ${index}`), `${canary}-${index}`)
  await credentials.put(tokensOf('large'), canary.repeat(5_000)).catch(keep)
  await credentials.put({ ...tokensOf('x'), kind: null as unknown as string }, canary).catch(keep)
  tamper(folder, `update credentials set sealed = 'v1.x.y' where subject = 'user 1'`)
  await credentials.get(tokensOf('user 1')).catch(keep)
  expect(said).toHaveLength(3)
  expect(inspect(said, { depth: 10, showHidden: true })).not.toContain(canary)
  const files = readdirSync(folder)
  expect(files).toEqual(expect.arrayContaining(['weir.db', 'weir.db-wal', 'key']))
  for (const file of files) {
    const bytes = readFileSync(join(folder, file))
    expect([file, bytes.includes(canary), bytes.includes(Buffer.from(canary).toString('base64url'))]).toEqual(
      [file, false, false],
    )
  }
})

it('does not open a secret that was moved to another row', async () => {
  const folder = makeFolder()
  const { credentials } = await openIn(folder)
  await credentials.put(tokensOf('ada'), canary)
  await credentials.put(tokensOf('eve'), 'hers')
  const ofAda = `(select sealed from credentials where subject = 'ada')`
  tamper(folder, `update credentials set sealed = ${ofAda} where subject = 'eve'`)
  await expect(credentials.get(tokensOf('eve'))).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining('changed or moved'),
  })
  expect((await credentials.get(tokensOf('ada')))?.value).toBe(canary)
})

it('never takes what is not sealed for a secret', async () => {
  const folder = makeFolder()
  const { credentials } = await openIn(folder)
  await credentials.put(tokensOf('ada'), canary)
  const key = await keyFromFile(join(folder, 'key'))(async () => true)
  for (const text of [
    'plain',
    '',
    'v1',
    `v1.${key.id}`,
    `v1.${key.id}.AAAA`,
    `v2.${key.id}.${'A'.repeat(80)}`,
  ]) {
    tamper(folder, `update credentials set sealed = '${text}'`)
    await expect(credentials.get(tokensOf('ada'))).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  }
})

it('notices each changed bit of a sealed value', () => {
  const key = createSealingKey(Buffer.alloc(32, 7))
  const [format, id, text] = seal(key, 'row', 'value').split('.')
  const bytes = Buffer.from(text!, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    const sealed = [format, id, changed.toString('base64url')].join('.')
    expect(() => openSealed(key, 'row', sealed)).toThrow('changed or moved')
  }
})

it('opens with the same secret again, and says of another one that it is another', async () => {
  const folder = makeFolder()
  const first = await openIn(folder, { secret: 'one' })
  await first.credentials.put(tokensOf('ada'), canary)
  await first.close()
  expect(readdirSync(folder)).not.toContain('key')
  const second = await openIn(folder, { secret: 'one' })
  expect((await second.credentials.get(tokensOf('ada')))?.value).toBe(canary)
  const third = await openIn(folder, { secret: 'two' })
  await expect(third.credentials.get(tokensOf('ada'))).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining('another key'),
  })
})

it('makes no new key where credentials wait for the one that is missing, and takes it back', async () => {
  const folder = makeFolder()
  const first = await openIn(folder)
  await first.credentials.put(tokensOf('ada'), canary)
  await first.close()
  linkSync(join(folder, 'key'), join(folder, 'backup'))
  rmSync(join(folder, 'key'))
  const { credentials } = await openIn(folder)
  for (const attempt of [credentials.get(tokensOf('ada')), credentials.put(tokensOf('eve'), 'x')]) {
    await expect(attempt).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('is missing'),
    })
  }
  linkSync(join(folder, 'backup'), join(folder, 'key'))
  expect((await credentials.get(tokensOf('ada')))?.value).toBe(canary)
})

it.skipIf(process.platform === 'win32')('refuses a key file that others can read', async () => {
  const path = join(makeFolder(), 'key')
  const readKey = keyFromFile(path)
  writeFileSync(path, Buffer.alloc(32), { mode: 0o600 })
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(path, mode)
    await expect(readKey(async () => false)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      hint: `Run chmod 600 ${path}.`,
    })
  }
  chmodSync(path, 0o600)
  expect((await readKey(async () => false)).bytes).toEqual(Buffer.alloc(32))
})

it.each([0, 31, 33, 5_000])('refuses a key file of %i bytes, and leaves it', async (size) => {
  const path = join(makeFolder(), 'key')
  writeFileSync(path, Buffer.alloc(size), { mode: 0o600 })
  await expect(keyFromFile(path)(async () => false)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  expect(readFileSync(path)).toHaveLength(size)
})

it('gives everybody the same new key, however many make it at once', async () => {
  const folder = makeFolder()
  const readers = Array.from({ length: 20 }, () => keyFromFile(join(folder, 'key')))
  const keys = await Promise.all(readers.map((read) => read(async () => false)))
  expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
  expect(readdirSync(folder)).toEqual(['key'])
})

it('says that the key cannot be made, and leaves no draft', async () => {
  const folder = makeFolder()
  const path = join(folder, 'missing', 'key')
  const readKey = keyFromFile(path)
  await expect(readKey(async () => false)).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining('could not be made (ENOENT)'),
  })
  mkdirSync(join(folder, 'missing'))
  await readKey(async () => false)
  expect(readdirSync(join(folder, 'missing'))).toEqual(['key'])
})
