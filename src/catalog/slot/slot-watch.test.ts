import { describe, expect, it } from 'vitest'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import { createLog } from '../../telemetry/log.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCatalog } from '../catalog.ts'
import { createConnection, createSupply, createTool, setUpSlot } from '../connection.fixture.ts'

/** Connections that tell of changes, and who follows what at each of them. */
function createTelling() {
  const followed: Map<string, Set<() => void>>[] = []
  const { made, open } = createSupply(() => {
    const listeners = new Map<string, Set<() => void>>()
    followed.push(listeners)
    const watch: Connection['watch'] = (uri, listener) => {
      if (uri === 'mute:') return undefined
      if (uri === 'bad:' && followed.length > 1) throw new Error('no more')
      const all = listeners.get(uri) ?? new Set()
      listeners.set(uri, all.add(listener))
      return { dispose: () => void all.delete(listener) }
    }
    return createConnection([createTool('one')], { watch })
  })
  const tell = (uri: string) => {
    for (const listener of followed.at(-1)?.get(uri) ?? []) listener()
  }
  const count = (uri: string) => followed.map((listeners) => listeners.get(uri)?.size ?? 0)
  return { made, open, tell, count }
}

describe('who follows a resource', () => {
  it('hears of its changes across restarts, and once of each restart, in which one may have been missed', async () => {
    const { made, open, tell, count } = createTelling()
    const { clock, slot } = setUpSlot(open)
    await clock.advance(0)
    let heard = 0
    const watcher = slot.watch('a:', () => {
      heard += 1
    })
    tell('a:')
    expect(heard).toBe(1)
    made[0]?.die(new Error('killed'))
    await clock.advance(500)
    expect([heard, count('a:')]).toEqual([2, [0, 1]])
    tell('a:')
    expect(heard).toBe(3)
    watcher?.dispose()
    watcher?.dispose()
    tell('a:')
    expect([heard, count('a:')]).toEqual([3, [0, 0]])
    made[1]?.die(new Error('killed'))
    await clock.advance(10_000)
    expect(count('a:')).toEqual([0, 0, 0])
  })

  it('may begin while the connection is not up', async () => {
    const { open, tell } = createTelling()
    const { clock, slot } = setUpSlot(open)
    let heard = 0
    slot.watch('a:', () => {
      heard += 1
    })
    await clock.advance(0)
    tell('a:')
    expect(heard).toBe(2)
  })

  it('is told that nothing will be heard only where the connection is up and says so', async () => {
    const { open } = createTelling()
    const { clock, slot } = setUpSlot(open)
    expect(slot.watch('mute:', () => {})).toBeDefined()
    await clock.advance(0)
    expect(slot.watch('mute:', () => {})).toBeUndefined()
    const plain = setUpSlot(async () => createConnection([]))
    await plain.clock.advance(0)
    expect(plain.slot.watch('a:', () => {})).toBeUndefined()
  })

  it('takes nothing from the others where it fails', async () => {
    const { made, open, tell } = createTelling()
    const { clock, slot, lines } = setUpSlot(open)
    await clock.advance(0)
    let heard = 0
    slot.watch('bad:', () => {})
    slot.watch('worse:', () => {
      throw new Error('listener broke')
    })
    slot.watch('a:', () => {
      heard += 1
    })
    made[0]?.die(new Error('killed'))
    await clock.advance(500)
    tell('a:')
    expect([heard, slot.status.state]).toEqual([2, 'up'])
    expect(lines.filter(({ uri }) => uri !== undefined).map(({ cause }) => cause)).toEqual([
      'no more',
      'listener broke',
    ])
  })

  it('is one of 10,000 at most, and one more is refused as overload', async () => {
    const { open } = createTelling()
    const { clock, slot } = setUpSlot(open)
    await clock.advance(0)
    const [first] = Array.from({ length: 10_000 }, (_, i) => slot.watch(`a:${i}`, () => {}))
    expect(() => slot.watch('b:', () => {})).toThrow(WeirError)
    expect(() => slot.watch('b:', () => {})).toThrow(/10000 resources/)
    first?.dispose()
    expect(slot.watch('b:', () => {})).toBeDefined()
  })
})

describe('R6: the lists', () => {
  async function setUp() {
    const { made, open } = createSupply()
    let isGone = false
    const clock = createFakeClock()
    const catalog = createCatalog({
      sources: [
        {
          ...{ name: 'box', type: 'test' },
          open: (signal) => (isGone ? Promise.reject(new Error('ECONNREFUSED')) : open(signal, 1)),
        },
        { name: 'zoo', type: 'test', open: async () => createConnection([createTool('feed')]) },
      ],
      ...{ clock, log: createLog(() => {}), random: () => 1 },
    })
    await clock.advance(0)
    const die = (forGood: boolean) => {
      isGone = forGood
      made.at(-1)?.die(new Error('killed'))
    }
    const heal = () => {
      isGone = false
    }
    return { clock, catalog, die, heal, tools: catalog.view()!.tools, boxes: catalog.view('box')!.tools }
  }

  it('R6: keep what a connection offered, marked stale with the first cause once it is gone for 2 s', async () => {
    const { clock, tools, boxes, die } = await setUp()
    const { version } = tools
    await clock.advance(10_000)
    die(true)
    await clock.advance(1_999)
    expect([tools.version, tools.list()[0]]).toEqual([
      version,
      { name: 'box__one', entry: expect.anything() },
    ])
    await clock.advance(1)
    const stale = { since: '2026-01-01T00:00:10.000Z', cause: 'ECONNREFUSED' }
    expect(tools.version).toBe(version + 1)
    expect(tools.list()).toMatchObject([{ name: 'box__one', stale }, { name: 'zoo__feed' }])
    expect(tools.list()[1]).not.toHaveProperty('stale')
    expect(boxes.list()).toMatchObject([{ name: 'one', stale }])
    await clock.advance(120_000)
    expect(tools.version).toBe(version + 1)
  })

  it('R6: lose the mark when the connection is up again', async () => {
    const { clock, tools, die, heal } = await setUp()
    const { version } = tools
    die(true)
    await clock.advance(3_000)
    heal()
    await clock.advance(1_000)
    expect([tools.version, tools.list()[0]]).toEqual([
      version + 2,
      { name: 'box__one', entry: expect.anything() },
    ])
  })

  it('R6: do not change by a restart that takes less than 2 s, nor by fifty', async () => {
    const { clock, tools, die } = await setUp()
    const { version } = tools
    const list = tools.list()
    for (let restart = 0; restart < 50; restart += 1) {
      await clock.advance(10_000)
      die(false)
      await clock.advance(500)
    }
    expect(tools.version).toBe(version)
    expect(tools.list()).toBe(list)
  })
})
