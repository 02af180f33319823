import { expect, it } from 'vitest'
import type { AuditDraft } from '../../core/audit.ts'
import { WeirError } from '../../core/error.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { AuditWriter } from './audit-writer.ts'

function setUp(limits = { recordsMax: 10, charsMax: 10_000 }) {
  const clock = createFakeClock()
  const batches: AuditDraft[][] = []
  const events: string[] = []
  const state: { failure: WeirError | undefined; gate: Promise<void> | undefined } = {
    failure: undefined,
    gate: undefined,
  }
  const store = {
    async append(drafts: readonly string[]) {
      await state.gate
      if (state.failure !== undefined) throw state.failure
      batches.push(drafts.map((text) => JSON.parse(text) as AuditDraft))
    },
  }
  const note = ({ event }: { event?: string }) => void events.push(event ?? '')
  const log = { debug: note, info: note, warn: note, error: note } as never
  return { clock, batches, events, state, writer: new AuditWriter({ store, clock, log, limits }) }
}

const away = new WeirError('STORE_UNAVAILABLE', 'The store is away.')
const draft = (call: string, more: Partial<AuditDraft> = {}): AuditDraft => ({
  kind: 'call',
  at: 1,
  call,
  ...more,
})

it('R17: keeps as many reads as fit while nothing can be written, counts the rest, and says so', async () => {
  const { writer, clock, batches, events, state } = setUp()
  state.failure = away
  for (let index = 0; index < 25; index += 1) writer.note(draft(`r${index}`))
  await clock.advance(10_000)
  expect(writer.pending).toEqual({ waiting: 10, lost: 15 })
  // What had an effect has room of its own, with an end as well.
  for (let index = 0; index < 15; index += 1) writer.noteEffect(draft(`w${index}`))
  expect(writer.pending).toEqual({ waiting: 20, lost: 20 })
  state.failure = undefined
  await clock.advance(1_000)
  const all = batches.flat()
  expect(all.map(({ call }) => call)).toEqual([
    ...Array.from({ length: 10 }, (_, index) => `r${index}`),
    ...Array.from({ length: 10 }, (_, index) => `w${index}`),
    undefined,
  ])
  expect(all.at(-1)).toMatchObject({ kind: 'lost', count: 20 })
  expect(writer.pending).toEqual({ waiting: 0, lost: 0 })
  expect(events).toEqual(['audit.full', 'audit.unavailable', 'audit.lost', 'audit.back'])
})

it('bounds what waits by its size too', () => {
  const { writer } = setUp({ recordsMax: 1_000, charsMax: 10_000 })
  for (let index = 0; index < 100; index += 1) writer.note(draft('x', { input: 'x'.repeat(1_000) }))
  expect(writer.pending.waiting).toBe(9)
})

it('goes on after a time that fell into a write', async () => {
  const { writer, clock, batches, state } = setUp()
  let finish = () => {}
  state.gate = new Promise((resolve) => {
    finish = resolve
  })
  writer.noteEffect(draft('a'))
  writer.noteEffect(draft('b'))
  await clock.advance(500)
  finish()
  state.gate = undefined
  await clock.advance(0)
  writer.note(draft('c'))
  await clock.advance(100)
  expect(batches.flat().map(({ call }) => call)).toEqual(['a', 'b', 'c'])
})

it('gives up what can never be written, and goes on with the rest', async () => {
  const { writer, clock, batches, state } = setUp()
  state.failure = new WeirError('STORE_VALUE_TOO_LARGE', 'Too large.')
  writer.note(draft('a'))
  await clock.advance(100)
  state.failure = undefined
  writer.note(draft('b'))
  await clock.advance(1_100)
  expect(batches.flat().map(({ kind, call, count }) => [kind, call, count])).toEqual([
    ['call', 'b', undefined],
    ['lost', undefined, 1],
  ])
})

it('bounds the refusals that it sums', async () => {
  const { writer, clock, batches } = setUp({ recordsMax: 5_000, charsMax: 1e7 })
  for (let index = 0; index < 3_000; index += 1) writer.noteDenial(draft('x', { subject: `s${index}` }))
  expect(writer.pending.waiting).toBe(2_048)
  await clock.advance(2_000)
  expect(batches.flat()).toHaveLength(3_000)
})

it('writes what is left when it is closed', async () => {
  const { writer, batches } = setUp()
  writer.note(draft('a'))
  writer.noteDenial(draft('b', { kind: 'denials' }))
  await writer.close()
  expect(batches.flat().map(({ call }) => call)).toEqual(['a', 'b'])
})

it('is closed although nothing can be written, and says what is lost', async () => {
  const { writer, state, events } = setUp()
  state.failure = away
  writer.note(draft('a'))
  await writer.close()
  expect(events).toEqual(['audit.unavailable', 'audit.lost'])
})
