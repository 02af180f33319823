import { describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import { createConnection, createSupply, createTool, setUpSlot } from '../connection.fixture.ts'

const [one, two] = [createTool('one'), createTool('two')]
const refuse = () => Promise.reject(new WeirError('CONNECTION_UNAVAILABLE', 'refused'))
const never = () => new Promise<never>(() => {})

describe('opening', () => {
  it('goes from starting to up, with the tools', async () => {
    const { clock, slot, lines } = setUpSlot(async () => createConnection([one, two]))
    expect(slot.status).toEqual({
      name: 'box',
      type: 'test',
      state: 'starting',
      tools: 0,
      resources: 0,
      prompts: 0,
    })
    await clock.advance(0)
    expect(slot.status).toEqual({
      name: 'box',
      type: 'test',
      state: 'up',
      tools: 2,
      resources: 0,
      prompts: 0,
    })
    expect(slot.entries).toMatchObject([
      { id: 'box:one', connection: 'box', target: { kind: 'tool', name: 'one', effect: 'read' } },
      { id: 'box:two', connection: 'box', target: { kind: 'tool', name: 'two' } },
    ])
    expect(lines).toMatchObject([{ event: 'connection.up', connection: 'box', tools: 2 }])
  })

  it.each<[string, () => Promise<Connection>, string]>([
    ['refused', refuse, 'refused'],
    ['failing with another error', () => Promise.reject(new Error('ENOENT npx')), 'ENOENT npx'],
    [
      'thrown at once',
      () => {
        throw new Error('at once')
      },
      'at once',
    ],
    ['rejected with no error', () => Promise.reject('text'), 'Weir failed to run this call.'],
  ])('%s, is down with its cause, and settled', async (_, open, cause) => {
    const { clock, slot, lines } = setUpSlot(open)
    await clock.advance(0)
    await slot.settled
    expect(slot.status).toEqual({
      name: 'box',
      type: 'test',
      state: 'down',
      tools: 0,
      resources: 0,
      prompts: 0,
      cause,
    })
    expect(lines).toMatchObject([{ level: 'warn', event: 'connection.down', connection: 'box', cause }])
  })

  it('again comes after pauses that double up to 30 s', async () => {
    const { clock, attemptsMs } = setUpSlot(refuse)
    await clock.advance(200_000)
    const pauses = attemptsMs.slice(1).map((atMs, i) => atMs - attemptsMs[i]!)
    expect(pauses.slice(0, 9)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it('again is jittered in full: anywhere between at once and the whole pause', async () => {
    const draws = [0.5, 0, 0.25]
    const { clock, attemptsMs } = setUpSlot(refuse, () => draws.shift() ?? 1)
    await clock.advance(1_000)
    expect(attemptsMs).toEqual([0, 250, 250, 750])
  })

  it('again, for the same cause, is not told again', async () => {
    const { clock, lines } = setUpSlot(refuse)
    await clock.advance(60_000)
    expect(lines).toHaveLength(1)
  })

  it('that takes longer than 90 s is given up, told to stop, and tried again', async () => {
    let signal: AbortSignal | undefined
    const { clock, slot, attemptsMs } = setUpSlot((given, attempt) => {
      if (attempt > 1) return Promise.resolve(createConnection([one]))
      signal = given
      return never()
    })
    await clock.advance(89_999)
    expect(slot.status.state).toBe('starting')
    await clock.advance(1)
    expect(slot.status).toMatchObject({ state: 'down', cause: 'It did not open within 90000 ms.' })
    expect(signal?.reason).toMatchObject({ code: 'CONNECTION_UNAVAILABLE' })
    await clock.advance(500)
    expect([slot.status.state, attemptsMs.length]).toEqual(['up', 2])
  })

  it('that ends after it was given up is closed again', async () => {
    const late = createConnection([two])
    let arrive = () => {}
    const { clock, slot } = setUpSlot((_signal, attempt) =>
      attempt > 1
        ? Promise.resolve(createConnection([one]))
        : new Promise((resolve) => {
            arrive = () => resolve(late)
          }),
    )
    await clock.advance(90_500)
    arrive()
    await clock.advance(0)
    expect([late.closes, late.listeners]).toEqual([1, 0])
    expect(slot.entries.map(({ id }) => id)).toEqual(['box:one'])
  })

  it('a connection that cannot say what it offers closes it', async () => {
    const broken = createConnection([])
    broken.targets = () => {
      throw new Error('no list')
    }
    const { clock, slot } = setUpSlot(async (_signal, attempt) =>
      attempt > 1 ? createConnection([one]) : broken,
    )
    await clock.advance(0)
    expect(slot.status).toMatchObject({ state: 'down', cause: 'no list' })
    expect([broken.closes, broken.listeners]).toEqual([1, 0])
    await clock.advance(500)
    expect(slot.status.state).toBe('up')
  })
})

describe('what it offers', () => {
  it('keeps the entry of every target that stays', async () => {
    const connection = createConnection([one, two])
    const { clock, slot } = setUpSlot(async () => connection)
    await clock.advance(0)
    const [first, second] = slot.entries
    connection.offer([two, createTool('three'), one])
    expect(slot.entries[0]).toBe(second)
    expect(slot.entries[2]).toBe(first)
    connection.offer([createTool('one'), two])
    expect(slot.entries[0]).toBe(first)
    connection.offer([createTool('one', { effect: 'write' }), two])
    expect(slot.entries[0]).not.toBe(first)
    expect(slot.entries[1]).toBe(second)
  })

  it('holds no name twice: the first counts, and the log says so', async () => {
    const { clock, slot, lines } = setUpSlot(async () => createConnection([one, createTool('one'), two]))
    await clock.advance(0)
    expect(slot.entries.map(({ id }) => id)).toEqual(['box:one', 'box:two'])
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', connection: 'box', tool: 'one' }))
  })

  it('cannot be changed by who reads it', async () => {
    const { clock, slot } = setUpSlot(async () => createConnection([one]))
    await clock.advance(0)
    expect(Object.isFrozen(slot.entries[0])).toBe(true)
  })
})

describe('R6: a connection that dies', () => {
  it('keeps its tools, is down with the cause, and opens again with the same entries', async () => {
    const { made, open } = createSupply()
    const { clock, slot, changes } = setUpSlot(open)
    await clock.advance(0)
    const before = slot.entries
    const seen = changes()
    made[0]!.die(new Error('exited with code 1'))
    expect(slot.status).toEqual({
      name: 'box',
      type: 'test',
      state: 'down',
      tools: 1,
      resources: 0,
      prompts: 0,
      cause: 'exited with code 1',
    })
    expect(slot.entries).toBe(before)
    await clock.advance(500)
    expect(changes()).toBe(seen)
    expect(slot.entries).toBe(before)
    expect(slot.status).toEqual({
      name: 'box',
      type: 'test',
      state: 'up',
      tools: 1,
      resources: 0,
      prompts: 0,
    })
    expect(slot.entries[0]).toBe(before[0])
  })

  it('is closed, and no listener is left at it', async () => {
    const { made, open } = createSupply()
    const { clock } = setUpSlot(open)
    await clock.advance(0)
    expect(made[0]!.listeners).toBe(2)
    made[0]!.die(new Error('x'))
    await clock.advance(500)
    expect([made[0]!.closes, made[0]!.listeners, made[1]!.listeners]).toEqual([1, 0, 2])
  })

  it('is heard once, however often it says so', async () => {
    const deaths: ((cause: Error) => void)[] = []
    const { clock, attemptsMs } = setUpSlot(async () => ({
      ...createConnection([one]),
      onClose(listener) {
        deaths.push(listener)
        return { dispose() {} }
      },
    }))
    await clock.advance(0)
    deaths[0]!(new Error('x'))
    deaths[0]!(new Error('x'))
    await clock.advance(500)
    deaths[0]!(new Error('late'))
    await clock.advance(60_000)
    expect(attemptsMs).toHaveLength(2)
  })

  it('soon after each start waits longer each time', async () => {
    const { made, open } = createSupply()
    const { clock, attemptsMs } = setUpSlot(open)
    for (let i = 0; i < 4; i += 1) {
      await clock.advance(0)
      made.at(-1)!.die(new Error('crash'))
      await clock.advance(500 * 2 ** i)
    }
    expect(attemptsMs).toEqual([0, 500, 1_500, 3_500, 7_500])
  })

  it('after ten good seconds starts again from the shortest pause', async () => {
    const { made, open } = createSupply()
    const { clock, attemptsMs } = setUpSlot(open)
    await clock.advance(0)
    made[0]!.die(new Error('crash'))
    await clock.advance(500)
    await clock.advance(10_000)
    made[1]!.die(new Error('crash'))
    await clock.advance(500)
    expect(attemptsMs).toEqual([0, 500, 11_000])
  })
})

describe('closing', () => {
  it('closes the connection once, though it is asked twice, and hears nothing of it again', async () => {
    const { made, open } = createSupply()
    const { clock, slot, attemptsMs } = setUpSlot(open)
    await clock.advance(0)
    await Promise.all([slot.close(), slot.close()])
    await slot.close()
    made[0]!.die(new Error('x'))
    await clock.advance(60_000)
    expect([made[0]!.closes, made[0]!.listeners, attemptsMs.length]).toEqual([1, 0, 1])
    expect(clock.pendingMs).toEqual([])
  })

  it('while it opens tells the connector to stop, and waits for it', async () => {
    let reason: unknown
    let cleanUp = () => {}
    const { clock, slot, attemptsMs } = setUpSlot(
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason
            cleanUp = () => reject(new Error('child is gone'))
          })
        }),
    )
    await clock.advance(0)
    let isClosed = false
    const closing = slot.close().then(() => {
      isClosed = true
    })
    await clock.advance(100)
    expect(reason).toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(isClosed).toBe(false)
    cleanUp()
    await closing
    await clock.advance(60_000)
    expect([attemptsMs.length, clock.pendingMs.length]).toEqual([1, 0])
  })

  it('while it opens closes what opens all the same', async () => {
    const connection = createConnection([one])
    let arrive = () => {}
    const { clock, slot } = setUpSlot(
      () =>
        new Promise((resolve) => {
          arrive = () => resolve(connection)
        }),
    )
    await clock.advance(0)
    const closing = slot.close()
    arrive()
    await closing
    expect([connection.closes, connection.listeners, slot.entries.length]).toEqual([1, 0, 0])
  })

  it('in the moment between opened and taken closes it too', async () => {
    const connection = createConnection([one])
    const { slot } = setUpSlot(async () => connection)
    for (let i = 0; i < 3; i += 1) await Promise.resolve()
    await slot.close()
    expect([connection.closes, connection.listeners]).toEqual([1, 0])
  })

  it('between two attempts ends them', async () => {
    const { clock, slot, attemptsMs } = setUpSlot(refuse)
    await clock.advance(0)
    await slot.close()
    await clock.advance(60_000)
    expect([attemptsMs.length, clock.pendingMs.length]).toEqual([1, 0])
  })

  it('takes no longer than 10 s, whatever hangs', async () => {
    const stuck = { ...createConnection([one]), close: never }
    for (const open of [async () => stuck, never]) {
      const { clock, slot, lines } = setUpSlot(open)
      await clock.advance(0)
      const closing = slot.close()
      await clock.advance(10_000)
      await closing
      expect(lines).toContainEqual(expect.objectContaining({ event: 'connection.stuck', connection: 'box' }))
    }
  })

  it('waits for a dead connection that is still being cleared away', async () => {
    let released = () => {}
    const connection = createConnection([one])
    connection.close = () =>
      new Promise((resolve) => {
        released = resolve
      })
    const { clock, slot } = setUpSlot(async () => connection)
    await clock.advance(0)
    connection.die(new Error('x'))
    let isClosed = false
    const closing = slot.close().then(() => {
      isClosed = true
    })
    await clock.advance(0)
    expect(isClosed).toBe(false)
    released()
    await closing
  })

  it('does not fail where the connection fails to close, and says so in the log', async () => {
    const broken = { ...createConnection([one]), close: () => Promise.reject(new Error('EBADF')) }
    const { clock, slot, lines } = setUpSlot(async () => broken)
    await clock.advance(0)
    await slot.close()
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'connection.close-failed', cause: 'EBADF' }),
    )
  })
})
