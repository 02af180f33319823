import { describe, expect, it } from 'vitest'
import { WeirError } from '../../../core/error.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import type { Answer, Unit } from './protocol.ts'
import { queueLimits, UnitQueue } from './unit-queue.ts'

const done: Answer = { results: [{ rows: [], changes: 1 }] }
const busy: Answer = { isBusy: true }
const write = (text = 'x', isRead = false): Unit => ({
  isRead,
  statements: [{ sql: 's', parameters: [text] }],
})
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A queue whose thread answers when the test does. */
function openQueue(limits = queueLimits) {
  const clock = createFakeClock()
  const queue = new UnitQueue(clock, limits)
  const groups: (readonly Unit[])[] = []
  const send = (units: readonly Unit[]) => void groups.push(units)
  queue.open(send)
  return { clock, queue, groups, send }
}

/** What a write ended with, for a table. */
async function fateOf(run: Promise<unknown>): Promise<string> {
  try {
    await run
    return 'done'
  } catch (thrown) {
    const { code, data } = thrown as WeirError
    return `${code} ${data?.['outcome'] ?? ''}`.trim()
  }
}

it('sends together what arrives in one turn, and what arrives while a group is under way', async () => {
  const { queue, groups } = openQueue()
  const first = [queue.run(write()), queue.run(write())]
  expect(groups).toEqual([])
  await turn()
  const second = [queue.run(write()), queue.run(write()), queue.run(write())]
  await turn()
  expect(groups.map(({ length }) => length)).toEqual([2])
  queue.answer([done, done])
  await Promise.all(first)
  await turn()
  expect(groups.map(({ length }) => length)).toEqual([2, 3])
  queue.answer([done, done, done])
  await Promise.all(second)
})

describe('R16: a wait of five seconds ends with what is known', () => {
  it('nothing was written, for what was never sent', async () => {
    const { clock, queue } = openQueue()
    queue.interrupt(new WeirError('STORE_UNAVAILABLE', 'The store’s thread ended.'))
    const fate = fateOf(queue.run(write()))
    await clock.advance(4_499)
    expect(clock.pendingMs).toEqual([1])
    await clock.advance(1)
    expect(await fate).toBe('STORE_UNAVAILABLE not-done')
    expect(clock.pendingMs).toEqual([])
  })

  it('it is unknown, for a write that was sent; a read is only not done', async () => {
    const { clock, queue, groups } = openQueue()
    const fates = [fateOf(queue.run(write())), fateOf(queue.run(write('x', true)))]
    await clock.advance(4_999)
    const late = fateOf(queue.run(write()))
    await clock.advance(1)
    expect(await Promise.all(fates)).toEqual(['STORE_UNAVAILABLE unknown', 'STORE_UNAVAILABLE not-done'])
    // The thread is only slow: its answer comes, is nobody's, and the next group goes.
    queue.answer([done, done])
    await turn()
    expect(groups).toHaveLength(2)
    queue.answer([done])
    expect(await late).toBe('done')
  })

  it('nothing was written, where another process held the file all the time', async () => {
    const { clock, queue, groups } = openQueue()
    const fate = fateOf(queue.run(write()))
    for (let waitedMs = 0; waitedMs < 4_600; waitedMs += 200) {
      await clock.advance(200)
      if (groups.length > 0) queue.answer([busy])
    }
    expect(await fate).toBe('STORE_UNAVAILABLE not-done')
  })
})

it('tells those whose group died that it is unknown, and sends the waiting ones to the next thread', async () => {
  const { queue, groups, send } = openQueue()
  const sent = fateOf(queue.run(write('sent')))
  await turn()
  const waiting = fateOf(queue.run(write('waiting')))
  queue.interrupt(new WeirError('STORE_UNAVAILABLE', 'The store’s thread ended.'))
  expect(await sent).toBe('STORE_UNAVAILABLE unknown')
  await turn()
  expect(groups).toHaveLength(1)
  queue.open(send)
  await turn()
  expect(groups[1]).toEqual([write('waiting')])
  queue.answer([done])
  expect(await waiting).toBe('done')
})

it('sends again what was put off, and does not say that the file was locked', async () => {
  const { clock, queue, groups } = openQueue()
  const fate = queue.run(write('x', true))
  await turn()
  queue.answer([{ isPutOff: true }])
  await turn()
  expect(groups).toHaveLength(2)
  const told = expect(fate).rejects.toThrow('did not answer within')
  await clock.advance(5_000)
  await told
})

it('says of a failed commit that it is unknown, and of a failed statement that it is not', async () => {
  const { queue } = openQueue()
  const fates = [fateOf(queue.run(write())), fateOf(queue.run(write()))]
  await turn()
  const failure = { code: 10, message: 'disk I/O error' }
  queue.answer([
    { failure, isUnknown: true },
    { failure, isUnknown: false },
  ])
  expect(await Promise.all(fates)).toEqual(['STORE_UNAVAILABLE unknown', 'STORE_UNAVAILABLE not-done'])
})

describe('bounds', () => {
  const limits = { unitsMax: 3, bytesMax: 100, groupUnitsMax: 2, groupBytesMax: 60 }

  it('refuses the write after the last that fits, and takes the next when there is room', async () => {
    const { queue } = openQueue(limits)
    const fates = [1, 2, 3, 4].map(() => fateOf(queue.run(write())))
    expect(await fates[3]).toBe('OVERLOADED')
    await turn()
    queue.answer([done, done])
    expect(await Promise.all(fates.slice(0, 2))).toEqual(['done', 'done'])
    const next = fateOf(queue.run(write()))
    await turn()
    queue.answer([done, done])
    expect(await Promise.all([fates[2], next])).toEqual(['done', 'done'])
  })

  it('refuses bytes above the limit, counting what is sent and not yet answered', async () => {
    const { queue } = openQueue(limits)
    const first = fateOf(queue.run(write('x'.repeat(70))))
    await turn()
    expect(await fateOf(queue.run(write('x'.repeat(40))))).toBe('OVERLOADED')
    expect(await fateOf(queue.run(write('x'.repeat(100))))).toBe('STORE_VALUE_TOO_LARGE')
    queue.answer([done])
    expect(await first).toBe('done')
  })

  it('limits a group by units and by bytes, but never to nothing', async () => {
    const { queue, groups } = openQueue(limits)
    const sizes = [70, 1, 1].map((size) => queue.run(write('x'.repeat(size))))
    await turn()
    queue.answer([done])
    await turn()
    expect(groups.map(({ length }) => length)).toEqual([1, 2])
    queue.answer([done, done])
    await Promise.all(sizes)
  })

  it('drains what waits, and takes no more', async () => {
    const { queue } = openQueue()
    const last = fateOf(queue.run(write()))
    const drained = queue.drain()
    expect(await fateOf(queue.run(write()))).toBe('STORE_UNAVAILABLE')
    await turn()
    queue.answer([done])
    await drained
    expect(await last).toBe('done')
  })
})
