import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, vi } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { silentLogger } from '../../../core/logger.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { createPinStore } from '../../pins.ts'
import { closeLater, makeFolder, pinNamed } from '../../store.fixture.ts'
import { createDatabase } from './sqlite.ts'
import { ThreadKeeper } from './thread-keeper.ts'
import { UnitQueue } from './unit-queue.ts'

const mebibyte = 1024 * 1024

/** A store of pins whose thread a test can look at. */
async function openPins({ fileBytesMax = 1024 * mebibyte, clock = systemClock } = {}) {
  const queue = new UnitQueue(clock)
  const path = join(makeFolder(), 'weir.db')
  const keeper = closeLater(await ThreadKeeper.open({ path, fileBytesMax, queue, clock, log: silentLogger }))
  const database = createDatabase(queue, () => keeper.close())
  return { path, keeper, database, pins: createPinStore(database) }
}

it('commits the writes of many callers together, and keeps each of them', async () => {
  const { keeper, pins } = await openPins()
  let next = 0
  const writer = async () => {
    while (next < 4_000) await pins.put([pinNamed(`tool ${next++}`)])
  }
  await Promise.all(Array.from({ length: 200 }, writer))
  expect(await pins.list()).toHaveLength(4_000)
  // 200 writers wait for each commit, so it could be 20; a commit for each write would be 4,000.
  expect(keeper.commits).toBeLessThanOrEqual(200)
})

it('fails the unit that is at fault, and no other of its group', async () => {
  const { keeper, pins } = await openPins()
  const broken = pinNamed('broken', { seenAt: null as unknown as number })
  const names = Array.from({ length: 20 }, (_, index) => `tool ${index}`)
  const puts = names.map((name, index) =>
    index === 7 ? pins.put([pinNamed('half'), broken]) : pins.put([pinNamed(name)]),
  )
  const settled = await Promise.allSettled(puts)
  expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(names.map((_, index) => index !== 7))
  expect(settled[7]).toMatchObject({ reason: { code: 'INTERNAL' } })
  expect((await pins.list()).map(({ name }) => name).sort()).toEqual(
    names.filter((_, index) => index !== 7).sort(),
  )
  expect(keeper.commits).toBe(1)
})

it('lets a read see the writes that were asked for before it', async () => {
  const { pins } = await openPins()
  const put = pins.put([pinNamed('a')])
  expect(await pins.list()).toHaveLength(1)
  await put
})

it('answers many large reads one after the other, and refuses one that is too large alone', async () => {
  const { pins } = await openPins()
  const of = (connection: string) =>
    Array.from({ length: 40 }, (_, index) =>
      pinNamed(`tool ${index}`, { connection, definition: 'x'.repeat(900_000) }),
    )
  await pins.put(of('a'))
  await pins.put(of('b'))
  const lists = await Promise.all([pins.list('a'), pins.list('b'), pins.list('a')])
  expect(lists.map(({ length }) => length)).toEqual([40, 40, 40])
  await expect(pins.list()).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
})

it('R17: refuses what has no room, keeps what fits, and goes on when there is room again', async () => {
  const { pins } = await openPins({ fileBytesMax: 2 * mebibyte })
  const large = (name: string) => pinNamed(name, { definition: 'x'.repeat(400_000) })
  await pins.put([large('a'), large('b'), large('c')])
  const [full, small] = await Promise.allSettled([
    pins.put([large('d'), large('e'), large('f')]),
    pins.put([pinNamed('small')]),
  ])
  expect(full).toMatchObject({
    reason: { code: 'STORE_UNAVAILABLE', data: { outcome: 'not-done' } },
  })
  expect(String(full.status === 'rejected' && full.reason)).toMatch(/has no room.*Nothing was written/)
  expect(small.status).toBe('fulfilled')
  expect((await pins.list()).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'small'])
  await pins.remove([large('a'), large('b')])
  await pins.put([large('d'), large('e')])
})

it('R16: waits while another process holds the file, reads meanwhile, and says that it wrote nothing', async () => {
  const clock = createFakeClock()
  const { path, pins } = await openPins({ clock })
  await pins.put([pinNamed('before')])
  const other = new DatabaseSync(path)
  other.exec('begin immediate')
  const puts = Promise.allSettled([pins.put([pinNamed('a')]), pins.put([pinNamed('b')])])
  // A read comes back, so the group that it came with was tried.
  expect(await pins.list()).toHaveLength(1)
  await clock.advance(4_500)
  for (const put of await puts) {
    expect(put).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE', data: { outcome: 'not-done' } } })
    expect(String(put.status === 'rejected' && put.reason)).toContain(
      'locked by another process. Nothing was',
    )
  }
  other.exec('rollback')
  other.close()
  await pins.put([pinNamed('after')])
  expect((await pins.list()).map(({ name }) => name)).toEqual(['after', 'before'])
})

it('tells the callers of a thread that dies, and serves the next ones from a new one', async () => {
  const { keeper, pins } = await openPins()
  await pins.put([pinNamed('before')])
  const first = keeper.worker!
  const names = Array.from({ length: 3_000 }, (_, index) => `tool ${index}`)
  const puts = names.map((name) => pins.put([pinNamed(name)]))
  // Of the three groups one is durable by then, one is under way, and one waits.
  await puts[0]
  const [settled] = await Promise.all([Promise.allSettled(puts), first.terminate()])
  for (const put of settled) {
    if (put.status === 'rejected')
      expect(put.reason).toMatchObject({ code: 'STORE_UNAVAILABLE', data: { outcome: 'unknown' } })
  }
  expect(keeper.worker).not.toBe(first)
  const kept = new Set((await pins.list()).map(({ name }) => name))
  const acknowledged = names.filter((_, index) => settled[index]?.status === 'fulfilled')
  expect(acknowledged.length).toBeGreaterThanOrEqual(1_000)
  expect(acknowledged.filter((name) => !kept.has(name))).toEqual([])
})

it('goes on trying while the file cannot be opened, says why, and heals', async () => {
  const clock = createFakeClock()
  const { path, keeper, pins } = await openPins({ clock })
  await pins.put([pinNamed('a')])
  const other = new DatabaseSync(path)
  other.exec(`insert into weir_migration values ('9999-later', '2030-01-01T00:00:00.000Z')`)
  await keeper.worker!.terminate()
  const refused = expect(pins.list()).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  for (const pauseMs of [100, 200]) {
    await vi.waitFor(() => expect(clock.pendingMs).toContain(pauseMs))
    await clock.advance(pauseMs)
  }
  await vi.waitFor(() => expect(clock.pendingMs).toContain(400))
  await clock.advance(4_500)
  await refused
  other.exec(`delete from weir_migration where name = '9999-later'`)
  other.close()
  const list = pins.list()
  await vi.waitFor(async () => {
    await clock.advance(clock.pendingMs[0] ?? 0)
    expect(keeper.worker).toBeDefined()
  })
  expect(await list).toHaveLength(1)
})

it('acknowledges nothing once its file was removed, and goes on when it is back', async () => {
  const { path, pins } = await openPins()
  await pins.put([pinNamed('before')])
  renameSync(path, `${path}.away`)
  for (const replaced of [false, true]) {
    if (replaced) writeFileSync(path, '')
    await expect(pins.put([pinNamed('lost')])).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('removed or replaced'),
      data: { outcome: 'not-done' },
    })
  }
  renameSync(`${path}.away`, path)
  await pins.put([pinNamed('after')])
  expect((await pins.list()).map(({ name }) => name)).toEqual(['after', 'before'])
})

it('takes no interactive transaction, which would hold up everybody’s commit', async () => {
  const { database } = await openPins()
  await expect(database.query.transaction().execute(async () => 1)).rejects.toThrow('no interactive')
})

it('is durable at every commit and leaves nothing behind when it is closed', async () => {
  const { path, keeper, pins } = await openPins()
  await pins.put([pinNamed('a')])
  expect(existsSync(`${path}-wal`)).toBe(true)
  await keeper.close()
  expect(existsSync(`${path}-wal`)).toBe(false)
})
