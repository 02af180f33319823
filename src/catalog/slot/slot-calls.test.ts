import { describe, expect, it } from 'vitest'
import { WeirError } from '../../core/error.ts'
import type { Completion, ResourceTemplate, TaskControl } from '../../core/tool.ts'
import { call, createConnection, createSupply, createTool, setUpSlot } from '../connection.fixture.ts'

const unsent = (code: 'CONNECTION_UNAVAILABLE' | 'UPSTREAM_UNREACHABLE' | 'OVERLOADED', sent = false) =>
  new WeirError(code, 'not sent', { data: { sent } })
const never = () => new Promise<never>(() => {})
const answering = (answer: string) =>
  createConnection([createTool('one', { run: async () => ({ structuredContent: answer }) })])

/** Connections that answer with their number, one after the other; a call has been answered by the first. */
async function setUpServed() {
  let count = 0
  const { made, open } = createSupply(() => answering(`from ${++count}`))
  const all = setUpSlot(open)
  await all.clock.advance(0)
  const first = call(all.slot.entries[0])
  await all.clock.advance(0)
  expect(first.result).toEqual({ structuredContent: 'from 1' })
  return { ...all, made }
}

describe('a call of a connection that is up', () => {
  it('goes straight to a target of a connection that cannot die, and gets its very promise', async () => {
    const promise = Promise.resolve({})
    const { onClose: _, ...immortal } = createConnection([createTool('one', { run: () => promise })])
    const { clock, slot } = setUpSlot(async () => immortal)
    await clock.advance(0)
    expect(slot.entries[0]?.target.run({} as never, {} as never)).toBe(promise)
  })

  it('reaches what the connection offers now, under an entry that stayed', async () => {
    const connection = answering('old')
    const { clock, slot } = setUpSlot(async () => connection)
    await clock.advance(0)
    const [entry] = slot.entries
    connection.offer([createTool('one', { run: async () => ({ structuredContent: 'new' }) })])
    const called = call(entry)
    await clock.advance(0)
    expect(called.result).toEqual({ structuredContent: 'new' })
  })

  it('carries on for completions and tasks, whose entries stay too', async () => {
    const aside = (answer: string) => ({
      ...{ name: 'one', description: '', effect: 'read', input: createTool('x').input },
      run: async () => ({ structuredContent: answer }),
    })
    const offer = (n: number): [ReturnType<typeof createTool>, ResourceTemplate] => [
      createTool('one', { tasks: { kind: 'task-control', ...aside(`task ${n}`) } as TaskControl }),
      {
        ...{ kind: 'resource-template', name: 'x:///{a}', description: '', effect: 'read' },
        ...{ input: createTool('x').input as never, run: async () => ({}) },
        matches: (uri) => uri === `x:///${n}`,
        completion: { kind: 'completion', ...aside(`value ${n}`) } as Completion,
      },
    ]
    const connection = createConnection(offer(1))
    const { clock, slot } = setUpSlot(async () => connection)
    await clock.advance(0)
    const [tool, template] = slot.entries
    connection.offer(offer(2))
    const called = [call(tool?.tasks), call(template?.completion)]
    await clock.advance(0)
    expect(called.map(({ result }) => result)).toEqual([
      { structuredContent: 'task 2' },
      { structuredContent: 'value 2' },
    ])
    expect((template?.target as ResourceTemplate).matches('x:///2')).toBe(true)
    expect((tool?.target as { tasks: unknown }).tasks).toBe(tool?.tasks?.target)
  })
})

describe('a call while its connection restarts', () => {
  it('R4: waits for it, through attempts that fail, and is run by the one that comes up', async () => {
    let count = 0
    const { made, open } = createSupply(() => answering(`from ${++count}`))
    const { clock, slot } = setUpSlot((signal, attempt) =>
      attempt === 2 ? Promise.reject(new Error('ECONNREFUSED')) : open(signal, attempt),
    )
    await clock.advance(0)
    made[0]?.die(new Error('killed'))
    const called = call(slot.entries[0])
    await clock.advance(500)
    expect(called).toEqual({ stop: called.stop })
    await clock.advance(1_000)
    expect(called.result).toEqual({ structuredContent: 'from 2' })
  })

  it('R12: leaves at its own deadline, with the reason', async () => {
    const { clock, slot } = setUpSlot(never, () => 1)
    await clock.advance(0)
    expect(slot.status.state).toBe('starting')
    const { made, open } = createSupply()
    const other = setUpSlot((signal, attempt) => (attempt === 1 ? open(signal, 1) : never()))
    await other.clock.advance(0)
    made[0]?.die(new Error('killed'))
    const called = call(other.slot.entries[0])
    await other.clock.advance(500)
    const reason = new WeirError('DEADLINE_EXCEEDED', 'over')
    called.stop.cancel(reason)
    await other.clock.advance(0)
    expect(called.error).toBe(reason)
  })

  it('R4: fails at once, with the cause and its cure, where the connection has been gone for long', async () => {
    const { made, open } = createSupply()
    const why = new WeirError('UPSTREAM_EXITED', 'It ended with code 3.', { hint: 'Mend it.' })
    const { clock, slot } = setUpSlot((signal, n) => (n === 1 ? open(signal, n) : Promise.reject(unreached)))
    const unreached = new WeirError('UPSTREAM_UNREACHABLE', 'Nobody there.', { hint: 'Start it.' })
    await clock.advance(0)
    made[0]?.die(why)
    const waiting = call(slot.entries[0])
    await clock.advance(29_000)
    const late = call(slot.entries[0])
    await clock.advance(0)
    for (const { error } of [waiting, late]) {
      expect(error).toMatchObject({ code: 'CONNECTION_UNAVAILABLE', hint: 'Start it.', cause: unreached })
      expect(error?.message).toBe('The connection "box" is down: Nobody there.')
      expect(error?.data).toEqual({ connection: 'box', sent: false })
    }
  })

  it('R4: fails at once in a crash loop, which is logged once, names the log and heals', async () => {
    const { made, open } = createSupply()
    const { clock, slot, lines } = setUpSlot(open)
    for (let i = 0; i < 8; i += 1) {
      await clock.advance(0)
      made.at(-1)?.die(new WeirError('UPSTREAM_EXITED', 'It ended with code 3.'))
      await clock.advance(i < 4 ? 500 * 2 ** i : 30_000)
    }
    made.at(-1)?.die(new WeirError('UPSTREAM_EXITED', 'It ended with code 3.'))
    expect(slot.status).toMatchObject({ state: 'crash-loop', cause: 'It ended with code 3.', tools: 1 })
    const called = call(slot.entries[0])
    await clock.advance(0)
    expect(called.error?.message).toBe('The connection "box" dies at each start: It ended with code 3.')
    expect(called.error?.hint).toContain('The log holds the end of what the server printed')
    expect(lines.filter(({ event }) => event === 'connection.crash-loop')).toHaveLength(1)
    expect(lines.filter(({ event }) => event === 'connection.up')).toHaveLength(5)
    await clock.advance(30_000)
    const healed = call(slot.entries[0])
    await clock.advance(0)
    expect([healed.result, slot.status.state]).toEqual([{}, 'up'])
  })

  it('is told of a shutdown', async () => {
    const { made, clock, slot } = await setUpServed()
    made[0]?.die(new Error('killed'))
    const called = call(slot.entries[0])
    void slot.close()
    await clock.advance(0)
    const late = call(slot.entries[0])
    await clock.advance(0)
    expect([called.error?.code, late.error?.code]).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN'])
  })

  it('is not run where the target has gone or changed meanwhile: its arguments fit the old one', async () => {
    const offers = [
      [createTool('one'), createTool('two')],
      [createTool('two', { effect: 'destructive' }), createTool('three')],
    ]
    const { made, open } = createSupply(() => createConnection(offers.shift() ?? []))
    const { clock, slot } = setUpSlot(open)
    await clock.advance(0)
    made[0]?.die(new Error('killed'))
    const called = slot.entries.map((entry) => call(entry))
    await clock.advance(500)
    expect(called.map(({ error }) => error?.message)).toEqual([
      'The connection "box" came back without the tool "one", or with another definition of it.',
      'The connection "box" came back without the tool "two", or with another definition of it.',
    ])
  })
})

describe('R4: a restart after good service', () => {
  it('begins at once, and changes no list and no entry', async () => {
    const { made, clock, slot, attemptsMs, changes } = await setUpServed()
    const [entries, seen] = [slot.entries, changes()]
    for (let restart = 1; restart <= 50; restart += 1) {
      made.at(-1)?.die(new Error('killed'))
      const called = call(slot.entries[0])
      await clock.advance(0)
      expect(called.result).toEqual({ structuredContent: `from ${restart + 1}` })
    }
    expect([slot.entries, changes(), new Set(attemptsMs)]).toEqual([entries, seen, new Set([0])])
    expect(slot.entries).toBe(entries)
  })
})

describe('good service', () => {
  it.each([
    ['the server’s own refusal', 'UPSTREAM_ERROR', 0],
    ['a death under a call', 'UPSTREAM_EXITED', 500],
  ] as const)('R4: is what %s makes of it', async (_, code, pauseMs) => {
    const run = () => Promise.reject(new WeirError(code, 'no'))
    const { made, open } = createSupply(() => createConnection([createTool('one', { run })]))
    const { clock, slot, attemptsMs } = setUpSlot(open)
    await clock.advance(0)
    call(slot.entries[0])
    await clock.advance(0)
    made[0]?.die(new Error('killed'))
    await clock.advance(500)
    expect(attemptsMs).toEqual([0, pauseMs])
  })
})

describe('a connection that dies as it comes up', () => {
  it('R4: is not taken for the one that a waiting call was let go for', async () => {
    const { made, open } = createSupply(() => {
      const connection = answering(`from ${made.length + 1}`)
      const { onClose } = connection
      if (made.length !== 1) return connection
      // After the call was let go, and before it has gone on.
      connection.onClose = (listener) => {
        queueMicrotask(() => queueMicrotask(() => listener(new Error('dead at once'))))
        return onClose!(listener)
      }
      return connection
    })
    const { clock, slot } = setUpSlot(open)
    await clock.advance(0)
    made[0]?.die(new Error('killed'))
    const called = call(slot.entries[0])
    await clock.advance(2_000)
    expect(called).toMatchObject({ result: { structuredContent: 'from 3' } })
  })
})

describe('R3: a call that was provably not sent', () => {
  /** The first connection refuses the call, and may die of it; the second answers. */
  function setUpRefusing(error: WeirError, dies: boolean) {
    const runs: string[] = []
    const { made, open } = createSupply(() => {
      const name = `connection ${made.length + 1}`
      const run = async () => {
        runs.push(name)
        if (made.length > 1) return {}
        if (dies) made[0]?.die(new Error('gone'))
        throw error
      }
      return createConnection([createTool('one', { run })])
    })
    return { ...setUpSlot(open), runs, made }
  }

  it.each([
    'CONNECTION_UNAVAILABLE',
    'UPSTREAM_UNREACHABLE',
  ] as const)('R4: by a connection that died (%s) is run again by the next one', async (code) => {
    const { clock, slot, runs } = setUpRefusing(unsent(code), true)
    await clock.advance(0)
    const called = call(slot.entries[0])
    await clock.advance(500)
    expect([called.result, runs]).toEqual([{}, ['connection 1', 'connection 2']])
  })

  it('R4: has 2 s to see the connection die, which may show only after the refusal', async () => {
    const { clock, slot, runs, made } = setUpRefusing(unsent('CONNECTION_UNAVAILABLE'), false)
    await clock.advance(0)
    const [called, patient] = [call(slot.entries[0]), call(slot.entries[0])]
    await clock.advance(1_400)
    made[0]?.die(new Error('at last'))
    await clock.advance(500)
    expect([called.result, patient.result, runs.length]).toEqual([{}, {}, 4])
    const again = setUpRefusing(unsent('CONNECTION_UNAVAILABLE'), false)
    await again.clock.advance(0)
    const refused = call(again.slot.entries[0])
    await again.clock.advance(2_000)
    expect([refused.error?.message, again.runs.length]).toEqual(['not sent', 1])
  })

  it.each([
    ['that may have been sent', unsent('UPSTREAM_UNREACHABLE', true)],
    ['that met a full queue', unsent('OVERLOADED')],
    ['that was in flight', new WeirError('UPSTREAM_EXITED', 'It ended.')],
  ])('R3: is told from one %s, which is never run twice', async (_, error) => {
    const { clock, slot, runs } = setUpRefusing(error, true)
    await clock.advance(0)
    const called = call(slot.entries[0])
    await clock.advance(60_000)
    expect([called.error, runs]).toEqual([error, ['connection 1']])
  })

  it('R3: is run again once, and no more', async () => {
    const error = unsent('CONNECTION_UNAVAILABLE')
    let runs = 0
    const { made, open } = createSupply(() => {
      const run = async () => {
        runs += 1
        made.at(-1)?.die(new Error('gone'))
        throw error
      }
      return createConnection([createTool('one', { run })])
    })
    const { clock, slot } = setUpSlot(open)
    await clock.advance(0)
    const called = call(slot.entries[0])
    await clock.advance(60_000)
    expect([called.error, runs]).toEqual([error, 2])
  })
})
