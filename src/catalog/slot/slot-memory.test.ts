import { describe, expect, it } from 'vitest'
import type { Result } from '../../core/outcome.ts'
import type { RememberedTargets, TargetStore } from '../../core/stores.ts'
import type { ResourceTemplate } from '../../core/tool.ts'
import { call, createConnection, createSupply, createTool, setUpSlot } from '../connection.fixture.ts'

/** A store in memory, whose failures and pace a test decides. */
function createStore() {
  const kept = new Map<string, RememberedTargets>()
  const store = {
    kept,
    writes: 0,
    writing: 0,
    fault: undefined as Error | undefined,
    gate: Promise.resolve(),
    async recall(connection: string) {
      if (store.fault !== undefined) throw store.fault
      return kept.get(connection)
    },
    async remember(connection: string, remembered: RememberedTargets) {
      store.writing += 1
      expect(store.writing).toBe(1)
      await store.gate
      store.writing -= 1
      if (store.fault !== undefined) throw store.fault
      store.writes += 1
      kept.set(connection, remembered)
    },
    forget: async (connection: string) => void kept.delete(connection),
  } satisfies TargetStore & Record<string, unknown>
  return store
}

const template: ResourceTemplate = {
  ...{ kind: 'resource-template', name: 'file:///{path}.txt', description: '', effect: 'read' },
  ...{ input: createTool('x').input as never, run: async () => ({}), matches: () => true },
}

/** A store that remembers what one connection offered, and a slot for the next process. */
async function setUpRemembered(more: Parameters<typeof setUpSlot>[2] = {}) {
  const targets = createStore()
  const offer = [createTool('one', { title: 'One', definition: { name: 'one', icons: [] } }), template]
  const before = setUpSlot(
    async () => createConnection(offer, { notes: () => ({ era: 'legacy' }) }),
    () => 1,
    {
      ...{ targets, fingerprint: 'f1' },
    },
  )
  await before.clock.advance(1_000)
  expect(targets.writes).toBe(1)
  await before.clock.advance(59_000)
  await before.slot.close()
  expect(targets.writes).toBe(2)
  targets.writes = 0
  const supply = createSupply(() => createConnection(offer))
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const after = setUpSlot(
    (signal, attempt) => opened.then(() => supply.open(signal, attempt)),
    () => 1,
    { targets, fingerprint: 'f1', ...more },
  )
  await after.clock.advance(0)
  return { ...after, targets, made: supply.made, open }
}

describe('what a connection offered before', () => {
  it('R6: is there at once in the next process, and runs by waiting for the connection', async () => {
    const { slot, clock, open, notesSeen } = await setUpRemembered()
    expect(slot.status).toMatchObject({ state: 'starting', tools: 1, resources: 0 })
    expect(slot.entries[0]?.target).toMatchObject({
      ...{ kind: 'tool', name: 'one', title: 'One', effect: 'read' },
      definition: { name: 'one', icons: [] },
    })
    const matches = (uri: string) => (slot.entries[1]?.target as ResourceTemplate).matches(uri)
    expect(['file:///a.txt', 'file:///a.md', 'http://x'].map(matches)).toEqual([true, false, false])
    const called = call(slot.entries[0])
    await clock.advance(5_000)
    expect(called.result).toBeUndefined()
    const entries = slot.entries
    open()
    await clock.advance(0)
    expect([called.result, slot.status.state]).toEqual([{}, 'up'])
    expect(slot.entries).toBe(entries)
    expect(matches('http://x')).toBe(true)
    expect(notesSeen).toEqual([{ era: 'legacy' }])
  })

  it('R6: is marked stale until the connection is up, since it was last seen', async () => {
    const { slot, clock, open, changes } = await setUpRemembered()
    await clock.advance(1)
    const seen = changes()
    expect(slot.stale).toEqual({ since: '2026-01-01T00:01:00.000Z', cause: 'It is starting.' })
    open()
    await clock.advance(0)
    expect([slot.stale, changes()]).toEqual([undefined, seen + 1])
  })

  it('is not shown for another configuration', async () => {
    const { slot, notesSeen } = await setUpRemembered({ fingerprint: 'f2' })
    expect([slot.entries, notesSeen]).toEqual([[], [undefined]])
  })

  it('is no news where nothing changed, and written again where something did, once for many changes', async () => {
    const { targets, clock, open, made } = await setUpRemembered()
    open()
    await clock.advance(10_000)
    expect(targets.writes).toBe(0)
    for (let i = 0; i < 20; i += 1) made[0]?.offer([createTool(`tool_${i}`)])
    await clock.advance(1_000)
    expect([targets.writes, targets.kept.get('box')?.targets]).toEqual([
      1,
      expect.stringContaining('"tool_19"'),
    ])
  })

  it('does not take the place of what is offered now, where the store is slower than the connection', async () => {
    const targets = createStore()
    const known = '[{"kind":"tool","name":"old","description":"","effect":"read","input":{}}]'
    targets.kept.set('box', { fingerprint: 'f1', targets: known, notes: {}, seenAt: 0 })
    let answer = () => {}
    const gate = new Promise<void>((resolve) => {
      answer = resolve
    })
    const recall = async (name: string) => {
      await gate
      return targets.kept.get(name)
    }
    const { open } = createSupply()
    const parts = { targets: { ...targets, recall }, fingerprint: 'f1' }
    const { clock, slot } = setUpSlot(open, () => 1, parts)
    slot.watch('a:', () => {})
    await clock.advance(0)
    expect(slot.entries.map(({ id }) => id)).toEqual(['box:one'])
    answer()
    await clock.advance(5_000)
    expect([slot.entries.map(({ id }) => id), slot.stale]).toEqual([['box:one'], undefined])
  })

  it('passes the review as what is offered now does, and is kept whole', async () => {
    let isStrict = true
    const review = (targets: readonly { name: string }[]) =>
      targets.filter(({ name }) => !isStrict || name !== 'one')
    const { slot, targets, changes } = await setUpRemembered({ review: review as never })
    expect(slot.entries.map(({ id }) => id)).toEqual(['resource:box:file:///{path}.txt'])
    expect(targets.kept.get('box')?.targets).toContain('"one"')
    isStrict = false
    const seen = changes()
    slot.refresh()
    expect([slot.entries.length, changes()]).toEqual([2, seen + 1])
  })
})

describe('a lazy connection', () => {
  it('is opened by its first call where it is remembered, and is idle until then', async () => {
    const { slot, clock, attemptsMs, open } = await setUpRemembered({ isLazy: true })
    await slot.settled
    await clock.advance(60_000)
    expect([slot.status.state, attemptsMs.length, slot.stale]).toEqual(['idle', 0, undefined])
    const called = call(slot.entries[0])
    open()
    await clock.advance(0)
    expect([called.result, slot.status.state]).toEqual([{}, 'up'])
  })

  it('is opened by the first who follows one of its resources', async () => {
    const { slot, attemptsMs } = await setUpRemembered({ isLazy: true })
    expect(slot.watch('file:///a.txt', () => {})).toBeDefined()
    expect(attemptsMs).toHaveLength(1)
  })

  it('is closed after its idle time, with no call under way and nobody who follows it, until its next call', async () => {
    const { open, made } = createSupply()
    const parts = { isLazy: true, idleMs: 60_000 }
    const { clock, slot, attemptsMs, lines } = setUpSlot(open, () => 1, parts)
    await clock.advance(59_000)
    call(slot.entries[0])
    await clock.advance(1_000)
    const entries = slot.entries
    expect(slot.status.state).toBe('up')
    await clock.advance(60_000)
    expect([slot.status.state, made[0]?.closes, made[0]?.listeners]).toEqual(['idle', 1, 0])
    expect(lines.at(-1)).toMatchObject({ event: 'connection.idle' })
    await clock.advance(600_000)
    expect([slot.stale, attemptsMs.length, clock.pendingMs]).toEqual([undefined, 1, []])
    const called = call(slot.entries[0])
    await clock.advance(0)
    expect([called.result, slot.status.state, slot.entries === entries]).toEqual([{}, 'up', true])
  })

  it('is not closed under a call that takes longer than its idle time, nor while a resource is followed', async () => {
    let finish = () => {}
    const run = () =>
      new Promise<Result>((resolve) => {
        finish = () => resolve({})
      })
    const watch = () => ({ dispose() {} })
    const connection = createConnection([createTool('one', { run })], { watch })
    const { clock, slot } = setUpSlot(
      async () => connection,
      () => 1,
      { isLazy: true, idleMs: 60_000 },
    )
    await clock.advance(0)
    const called = call(slot.entries[0])
    await clock.advance(300_000)
    finish()
    const watcher = slot.watch('a:', () => {})
    await clock.advance(300_000)
    expect([called.result, slot.status.state]).toEqual([{}, 'up'])
    watcher?.dispose()
    await clock.advance(60_000)
    expect([slot.status.state, connection.closes]).toEqual(['idle', 1])
  })

  it('whose next attempt fails says so, as at its first start', async () => {
    const { open } = createSupply()
    const { clock, slot } = setUpSlot(
      (signal, n) => (n === 1 ? open(signal, n) : Promise.reject(new Error('ENOENT'))),
      () => 1,
      { isLazy: true, idleMs: 1_000 },
    )
    await clock.advance(3_000)
    const called = call(slot.entries[0])
    await clock.advance(0)
    expect(called.error?.message).toBe('The connection "box" is down: ENOENT')
    expect(slot.status).toMatchObject({ state: 'down', tools: 1 })
  })

  it('is opened at once where nothing is remembered, to learn what it offers', async () => {
    const { open } = createSupply()
    const { clock, slot } = setUpSlot(open, () => 1, {
      ...{ isLazy: true, targets: createStore(), fingerprint: 'f1' },
    })
    await clock.advance(0)
    expect(slot.status).toMatchObject({ state: 'up', tools: 1 })
    const plain = setUpSlot(open, () => 1, { isLazy: true })
    await plain.clock.advance(0)
    expect(plain.slot.status.state).toBe('up')
  })
})

describe('a store', () => {
  it('that fails costs the memory alone, and the log says so', async () => {
    const targets = createStore()
    targets.fault = new Error('disk full')
    const { open } = createSupply()
    const { clock, slot, lines } = setUpSlot(open, () => 1, { targets, fingerprint: 'f1' })
    await clock.advance(1_000)
    expect(slot.status).toMatchObject({ state: 'up', tools: 1 })
    expect(lines.filter(({ event }) => event === 'connection.memory-failed')).toMatchObject([
      { cause: 'disk full' },
      { cause: 'disk full' },
    ])
  })

  it('that does not answer is not waited for longer than 2 s', async () => {
    const targets = { ...createStore(), recall: () => new Promise<never>(() => {}) }
    const { open } = createSupply()
    const { clock, slot } = setUpSlot(open, () => 1, { targets, fingerprint: 'f1' })
    await clock.advance(1_999)
    expect(slot.status).toMatchObject({ state: 'starting', tools: 0 })
    await clock.advance(1)
    expect(slot.status).toMatchObject({ state: 'up', tools: 1 })
  })

  it.each([
    '',
    'null',
    '{"kind":"tool"}',
    '[1]',
    '[{"kind":"tool","name":"x","effect":"read"}]',
    '[{"kind":"x"}]',
  ])('that holds what is no list of targets (%s) is as good as empty', async (text) => {
    const targets = createStore()
    targets.kept.set('box', { fingerprint: 'f1', targets: text, notes: {}, seenAt: 0 })
    const { open } = createSupply()
    const { clock, slot, lines } = setUpSlot(open, () => 1, { targets, fingerprint: 'f1', isLazy: true })
    await clock.advance(0)
    expect(slot.status).toMatchObject({ state: 'up', tools: 1 })
    expect(lines[0]).toMatchObject({ event: 'connection.memory-failed' })
  })

  it('is written to by one at a time, and the last change before a stop is not lost', async () => {
    const targets = createStore()
    let pass = () => {}
    targets.gate = new Promise((resolve) => {
      pass = resolve
    })
    const { open, made } = createSupply()
    const { clock, slot } = setUpSlot(open, () => 1, { targets, fingerprint: 'f1' })
    await clock.advance(1_000)
    expect(targets.writing).toBe(1)
    made[0]?.offer([createTool('two')])
    await clock.advance(5_000)
    made[0]?.offer([createTool('three')])
    const closing = slot.close()
    pass()
    await closing
    expect([targets.writes, targets.kept.get('box')?.targets]).toEqual([
      2,
      expect.stringContaining('"three"'),
    ])
  })

  it('that does not take the last change holds a stop up for 2 s and no longer', async () => {
    const targets = createStore()
    const { clock, slot, lines } = setUpSlot(createSupply().open, () => 1, { targets, fingerprint: 'f1' })
    await clock.advance(0)
    targets.gate = new Promise(() => {})
    let isClosed = false
    void slot.close().then(() => {
      isClosed = true
    })
    await clock.advance(1_900)
    expect(isClosed).toBe(false)
    await clock.advance(100)
    expect([isClosed, lines.at(-1)?.['event']]).toEqual([true, 'connection.memory-failed'])
  })

  it('gets nothing of a connection that offers more than 16 Mi characters', async () => {
    const targets = createStore()
    const { clock, slot, lines } = setUpSlot(
      async () => createConnection([createTool('big', { description: 'x'.repeat(16 * 1024 * 1024) })]),
      () => 1,
      { targets, fingerprint: 'f1' },
    )
    await clock.advance(1_000)
    expect([targets.writes, slot.status.tools]).toEqual([0, 1])
    expect(lines.at(-1)?.['cause']).toMatch(/characters are more than 16777216/)
  })
})
