import { beforeEach, describe, expect, it } from 'vitest'
import { createHeldPinStore, type HeldPinStore } from '../../catalog/pins/pin-store.fixture.ts'
import type { WeirError } from '../../core/error.ts'
import type { Pin } from '../../core/stores.ts'
import type { Output } from '../output.ts'
import { createPinCommands } from './pins.ts'

let store: HeldPinStore
let closes: number
beforeEach(() => {
  store = createHeldPinStore()
  closes = 0
})

const commands = createPinCommands(async () => ({
  pins: store,
  close: async () => {
    closes += 1
  },
}))

const pin = (name: string, decision: Pin['decision'], more: Partial<Pin> = {}): Pin => ({
  ...{ connection: 'box', kind: 'tool', name, decision, hash: `${name}-${decision}-hash`, seenAt: 0 },
  definition: JSON.stringify({ definition: { name, description: `${name} ${decision}` } }),
  ...more,
})

/** Runs one of them; what it said, by where. */
async function run<K extends keyof typeof commands>(
  command: K,
  words: readonly string[] = [],
  options: Parameters<(typeof commands)[K]>[1] = {},
  isJson = false,
) {
  const said = { text: [] as string[], notes: [] as string[], json: undefined as unknown }
  const output: Output = {
    ...{ isJson, isTerminal: false, lineLimit: {} },
    json: (value) => {
      said.json = value
    },
    text: (text) => void said.text.push(text),
    note: (text) => void said.notes.push(text),
    tell: () => {},
    fail: () => {},
    redactWith: () => {},
    redact: (text) => text,
  }
  const exit = await commands[command]({ output }, options, words)
  return { exit, ...said, text: said.text.join('\n') }
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('It was done.'),
    (thrown: WeirError) => `${thrown.code} ${thrown.message}`,
  )

describe('S13: weir pins', () => {
  it('lists what waits first, and what is approved', async () => {
    await store.put([
      pin('send', 'approved', { decidedBy: 'on first use' }),
      pin('send', 'quarantined'),
      pin('list', 'quarantined', { kind: 'prompt' }),
      pin('file:///a', 'approved', { kind: 'resource', connection: 'files' }),
    ])
    const { text, notes, exit } = await run('list')
    const cells = text.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))
    expect(cells.slice(2)).toEqual([
      ['box:send', 'tool', 'waiting, changed'],
      ['prompt:box:list', 'prompt', 'waiting, new'],
      ['box:send', 'tool', 'approved'],
      ['resource:files:file:///a', 'resource', 'approved'],
    ])
    expect([exit, closes, notes[0]]).toEqual([0, 1, expect.stringContaining('2 definitions wait')])
    expect((await run('list', ['files'])).text).not.toContain('box:')
    expect((await run('list', ['files'], {}, true)).json).toMatchObject({
      pins: [{ id: 'resource:files:file:///a', state: 'approved', seenAt: '1970-01-01T00:00:00.000Z' }],
    })
  })

  it('says that nothing is pinned', async () => {
    expect(await run('list')).toMatchObject({
      text: '',
      exit: 0,
      notes: [expect.stringContaining('Nothing is pinned')],
    })
  })
})

describe('S13: weir pins diff', () => {
  it('shows what changed, and how to approve exactly that', async () => {
    const nasty = JSON.stringify({ definition: { name: 'send', description: 'x\u001b[2J\u202e' } })
    await store.put([pin('send', 'approved'), pin('send', 'quarantined', { definition: nasty })])
    const { text, notes } = await run('diff', ['box:send'])
    expect(text.split('\n')).toEqual([
      'box:send is waiting, changed',
      '- definition.description: "send approved"',
      '+ definition.description: "x\\u001b[2J<U+202E>"',
    ])
    expect(notes[0]).toBe('To approve exactly this: weir pins approve box:send --hash send-quarant')
    expect((await run('diff', ['box:send'], {}, true)).json).toMatchObject({
      definitions: [
        {
          state: 'waiting, changed',
          approved: { definition: { description: 'send approved' } },
          waiting: {},
        },
      ],
    })
  })

  it('knows only what waits', async () => {
    await store.put([pin('send', 'approved')])
    expect(await refusal(run('diff', ['box:send']))).toContain(
      'INVALID_PARAMS Nothing waits for approval: "box:send" is approved',
    )
    expect(await refusal(run('diff', ['box:other']))).toContain('neither pinned nor a connection')
    expect(closes).toBe(2)
  })
})

describe('S13: weir pins approve', () => {
  it('approves one definition, in its user’s name', async () => {
    await store.put([pin('send', 'approved'), pin('send', 'quarantined'), pin('list', 'quarantined')])
    const { text, exit } = await run('approve', ['box:send'])
    expect([text, exit]).toEqual(['approved box:send (send-quarant)', 0])
    expect(store.all).toEqual(['approved tool send', 'quarantined tool list'])
    const [approved] = await store.list('box')
    expect(approved).toMatchObject({
      hash: 'send-quarantined-hash',
      decidedBy: expect.stringMatching(/^cli:./),
    })
    expect(approved?.decidedAt).toBeGreaterThan(Date.UTC(2026, 0, 1))
  })

  it('approves what was looked at, and not what came after it', async () => {
    await store.put([pin('send', 'quarantined')])
    expect(await refusal(run('approve', ['box:send'], { hash: 'other-hash' }))).toContain('has another hash')
    expect(await refusal(run('approve', ['box:send'], { hash: 'send' }))).toContain('has another hash')
    expect(store.all).toEqual(['quarantined tool send'])
    await run('approve', ['box:send'], { hash: 'send-quarant' })
    expect(store.all).toEqual(['approved tool send'])
  })

  it('approves everything of a connection only where that is said', async () => {
    await store.put([
      pin('a', 'quarantined'),
      pin('b', 'quarantined'),
      pin('c', 'quarantined', { connection: 'other' }),
    ])
    expect(await refusal(run('approve', ['box']))).toContain(
      'box is a connection; 2 of its definitions wait.',
    )
    const { json } = await run('approve', ['box'], { all: true }, true)
    expect(json).toMatchObject({ approved: [{ id: 'box:a', state: 'approved' }, { id: 'box:b' }] })
    expect(store.all).toEqual(['approved tool a', 'approved tool b', 'quarantined tool c'])
    expect(await refusal(run('approve', ['box'], { all: true }))).toContain('Nothing waits')
  })

  it('leaves all as it was where the store is away', async () => {
    await store.put([pin('a', 'quarantined')])
    store.failure = new Error('the store is away')
    await expect(run('approve', ['box:a'])).rejects.toThrow('the store is away')
    expect([store.all, closes]).toEqual([['quarantined tool a'], 1])
  })

  it('takes one that was approved just before a crash for approved', async () => {
    await store.put([pin('a', 'approved', { hash: 'same' }), pin('a', 'quarantined', { hash: 'same' })])
    expect((await run('list')).text).not.toContain('waiting')
    expect(await refusal(run('approve', ['box:a']))).toContain('is approved as it is')
  })
})
