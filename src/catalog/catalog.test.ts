import { describe, expect, it } from 'vitest'
import type { View } from '../core/catalog.ts'
import type { Connection } from '../core/connector.ts'
import { createLog } from '../telemetry/log.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createCatalog } from './catalog.ts'
import { createConnection, createTool } from './connection.fixture.ts'

type Opens = Readonly<Record<string, () => Promise<Connection>>>

function setUp(opens: Opens) {
  const clock = createFakeClock()
  const lines: Record<string, unknown>[] = []
  const catalog = createCatalog({
    sources: Object.entries(opens).map(([name, open]) => ({ name, type: 'test', open })),
    clock,
    log: createLog((line) => void lines.push(JSON.parse(line))),
    random: () => 1,
  })
  return { clock, lines, catalog }
}

const offering =
  (...names: string[]) =>
  async () =>
    createConnection(names.map((name) => createTool(name)))
const never = () => new Promise<never>(() => {})
const namesOf = (view: View | undefined) => view?.tools.list().map(({ name }) => name)

describe('the view of everything', () => {
  it('holds every tool under its prefixed name, sorted, whatever the order of opening', async () => {
    let arrive = () => {}
    const late = new Promise<Connection>((resolve) => {
      arrive = () => resolve(createConnection([createTool('run')]))
    })
    const { clock, catalog } = setUp({ box: () => late, zoo: offering('run', 'call') })
    await clock.advance(0)
    expect(namesOf(catalog.view())).toEqual(['zoo__call', 'zoo__run'])
    arrive()
    await clock.advance(0)
    expect(namesOf(catalog.view())).toEqual(['box__run', 'zoo__call', 'zoo__run'])
  })

  it('finds each tool by its name, and nothing else', async () => {
    const { clock, catalog } = setUp({ box: offering('run'), zoo: offering('run') })
    await clock.advance(0)
    const view = catalog.view()!
    for (const { name, entry } of view.tools.list()) expect(view.tools.find(name)).toBe(entry)
    expect(view.tools.find('zoo__run')?.id).toBe('zoo:run')
    expect(['run', 'box:run', '__proto__', ''].map((name) => view.tools.find(name))).toEqual(
      Array(4).fill(undefined),
    )
  })

  it('finds one of 10,000 tools as quickly as one of ten: it looks at none of the others', async () => {
    const tools = Array.from({ length: 10_000 }, (_, i) => createTool(`tool_${i}`))
    const { clock, catalog } = setUp({ box: async () => createConnection(tools) })
    await clock.advance(0)
    const [view, find] = [catalog.view()!, catalog.find]
    let reads = 0
    for (const { target } of [...tools.keys()].map((i) => catalog.find(`box:tool_${i}`)!)) {
      Object.defineProperty(target, 'name', { get: () => (reads += 1) })
    }
    expect(view.tools.find('box__tool_9999')).toBe(find('box:tool_9999'))
    expect(reads).toBe(0)
  })
})

describe('the view of one connection', () => {
  it('holds its tools under their own names, in its own order', async () => {
    const { clock, catalog } = setUp({ box: offering('zebra', 'ant'), zoo: offering('run') })
    await clock.advance(0)
    expect(namesOf(catalog.view('box'))).toEqual(['zebra', 'ant'])
    expect(catalog.view('box')?.tools.find('ant')).toBe(catalog.find('box:ant'))
    expect(catalog.view('box')?.tools.find('run')).toBeUndefined()
  })

  it('is there before the connection is up, and not for a name that is none', async () => {
    const { catalog } = setUp({ box: never })
    expect(namesOf(catalog.view('box'))).toEqual([])
    expect([catalog.view('other'), catalog.view('__proto__')]).toEqual([undefined, undefined])
  })
})

describe('C-03: ids and bare names', () => {
  it('name every tool, and the tools that a bare name could mean, in the order of the file', async () => {
    const { clock, catalog } = setUp({ zoo: offering('run', 'feed'), box: offering('run') })
    await clock.advance(0)
    expect(catalog.find('box:run')?.target.name).toBe('run')
    expect(catalog.find('run')).toBeUndefined()
    expect(catalog.candidates('run')).toEqual(['zoo:run', 'box:run'])
    expect(catalog.candidates('feed')).toEqual(['zoo:feed'])
    expect(['ru', 'constructor', 'box:run'].map((name) => catalog.candidates(name))).toEqual([[], [], []])
  })

  it('agree with the views where a connection offers one name twice', async () => {
    const twins = [createTool('run', { description: 'the first' }), createTool('run')]
    const { clock, catalog } = setUp({ box: async () => createConnection(twins) })
    await clock.advance(0)
    const entry = catalog.find('box:run')
    expect(entry?.target.description).toBe('the first')
    expect([catalog.view()?.tools.find('box__run'), catalog.view('box')?.tools.find('run')]).toEqual([
      entry,
      entry,
    ])
    expect(catalog.candidates('run')).toEqual(['box:run'])
  })
})

describe('a view’s version and listeners', () => {
  const up = async () => {
    const [run, feed] = [createTool('run'), createTool('feed')]
    const [box, zoo] = [createConnection([run]), createConnection([feed])]
    const all = setUp({ box: async () => box, zoo: async () => zoo })
    await all.clock.advance(0)
    return { ...all, box, zoo, run, feed }
  }

  it('change when the list does, and in the views that hold the change', async () => {
    const { catalog, box, run } = await up()
    const [everything, boxes, zoos] = [catalog.view()!, catalog.view('box')!, catalog.view('zoo')!]
    const versions = () => [everything.tools.version, boxes.tools.version, zoos.tools.version]
    const told: string[] = []
    everything.tools.onChange(() => told.push('all'))
    boxes.tools.onChange(() => told.push('box'))
    zoos.tools.onChange(() => told.push('zoo'))
    const [all, ofBox, ofZoo] = versions()
    box.offer([run, createTool('more')])
    expect(versions()).toEqual([all! + 1, ofBox! + 1, ofZoo])
    expect(told).toEqual(['all', 'box'])
  })

  it('stay where the list does: the same tools, a death, an opening again', async () => {
    const { catalog, box, run, clock } = await up()
    const view = catalog.view()!
    const list = view.tools.list()
    let told = 0
    view.tools.onChange(() => {
      told += 1
    })
    const { version } = view.tools
    box.offer([run])
    box.die(new Error('x'))
    await clock.advance(500)
    expect(catalog.connections()[0]?.state).toBe('up')
    expect([view.tools.version, told]).toEqual([version, 0])
    expect(view.tools.list()).toBe(list)
  })

  it('change for a new definition under an old name', async () => {
    const { catalog, box } = await up()
    const view = catalog.view()!
    const { version } = view.tools
    box.offer([createTool('run')])
    expect(view.tools.version).toBe(version)
    box.offer([createTool('run', { description: 'otherwise' })])
    expect(view.tools.version).toBe(version + 1)
  })

  it('tell what is already true: the listener sees the new list', async () => {
    const { catalog, box } = await up()
    const seen: unknown[] = []
    catalog
      .view()!
      .tools.onChange(() =>
        seen.push([namesOf(catalog.view()), catalog.find('box:run'), catalog.candidates('new')]),
      )
    box.offer([createTool('new')])
    expect(seen).toEqual([[['box__new', 'zoo__feed'], undefined, ['box:new']]])
  })

  it('end with dispose, which may be called twice, and for that listener alone', async () => {
    const { catalog, box } = await up()
    const told: string[] = []
    const first = catalog.view()!.tools.onChange(() => {
      told.push('first')
      first.dispose()
    })
    catalog.view()!.tools.onChange(() => told.push('second'))
    box.offer([])
    first.dispose()
    box.offer([createTool('new')])
    expect(told).toEqual(['first', 'second', 'second'])
  })

  it('are told to every listener, though one fails', async () => {
    const { catalog, box, lines } = await up()
    let told = 0
    catalog.view()!.tools.onChange(() => {
      throw new Error('listener broke')
    })
    catalog.view('box')!.tools.onChange(() => {
      told += 1
    })
    box.offer([])
    expect(told).toBe(1)
    expect(lines.at(-1)).toMatchObject({ level: 'error', msg: 'A listener failed.' })
    expect(catalog.connections()[0]).toMatchObject({ state: 'up', tools: 0 })
  })
})

describe('R6: one bad connection', () => {
  const refuse = () => Promise.reject(new Error('ECONNREFUSED'))

  it('R6: hung or refusing never empties the list: settled within 2 s, with what is there', async () => {
    const { clock, catalog } = setUp({ good: offering('run'), hung: never, bad: refuse })
    let settledMs: number | undefined
    void catalog.settled(2_000).then(() => {
      settledMs = clock.monotonicMs()
    })
    await clock.advance(1_999)
    expect(settledMs).toBeUndefined()
    expect(namesOf(catalog.view())).toEqual(['good__run'])
    await clock.advance(1)
    expect(settledMs).toBe(2_000)
    expect(catalog.connections()).toMatchObject([
      { name: 'good', type: 'test', state: 'up', tools: 1 },
      { name: 'hung', type: 'test', state: 'starting', tools: 0 },
      { name: 'bad', type: 'test', state: 'down', tools: 0, cause: 'ECONNREFUSED' },
    ])
  })

  it('R6: that refuses is waited for no longer than it takes to say so', async () => {
    const { clock, catalog } = setUp({ good: offering('run'), bad: refuse })
    let isSettled = false
    void catalog.settled(2_000).then(() => {
      isSettled = true
    })
    await clock.advance(0)
    expect(isSettled).toBe(true)
    expect(clock.pendingMs).toContain(500)
  })

  it('R6: that dies takes nobody’s tools away, its own neither', async () => {
    const box = createConnection([createTool('run')])
    const { clock, catalog } = setUp({ box: async () => box, zoo: offering('feed') })
    await clock.advance(0)
    box.die(new Error('exited'))
    expect(namesOf(catalog.view())).toEqual(['box__run', 'zoo__feed'])
    expect(catalog.connections()[0]).toMatchObject({ state: 'down', cause: 'exited', tools: 1 })
  })
})

describe('settled', () => {
  it('is at once where there is nothing to wait for', async () => {
    const { clock, catalog } = setUp({})
    await catalog.settled(2_000)
    expect(clock.pendingMs).toEqual([])
    expect([namesOf(catalog.view()), catalog.connections()]).toEqual([[], []])
  })
})

describe('close', () => {
  it('closes every connection, though one fails and it is called twice', async () => {
    const [box, zoo] = [createConnection([]), createConnection([])]
    box.close = () => Promise.reject(new Error('EBADF'))
    const { clock, catalog } = setUp({ box: async () => box, zoo: async () => zoo })
    await clock.advance(0)
    await Promise.all([catalog.close(), catalog.close()])
    expect([zoo.closes, box.listeners, zoo.listeners, clock.pendingMs.length]).toEqual([1, 0, 0, 0])
  })
})
