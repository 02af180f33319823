import { beforeEach, describe, expect, it } from 'vitest'
import type { Caller } from '../../core/caller.ts'
import { Cancellation } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { findRevision, newestLegacy } from '../../wire/revisions/index.ts'
import { createSeal } from '../shared/seal.ts'
import { createRequestStates } from './request-state.ts'
import { createSessions, type Sessions } from './sessions.ts'

const hour = 3_600_000
const ada: Caller = { subject: 'local:ada', tenant: 'one' }
const eve: Caller = { subject: 'local:eve', tenant: 'one' }
const elsewhere: Caller = { subject: 'local:ada', tenant: 'two' }
const secret = 's'.repeat(32)
let now = 0
const clock: Clock = { now: () => now, monotonicMs: () => now, setTimer: () => ({ cancel() {} }) }
beforeEach(() => {
  now = 1_000_000
})

describe('sessions', () => {
  const lost = expect.objectContaining({ code: 'SESSION_NOT_FOUND' })
  const start = () => createSessions(createSeal('session', secret), clock)
  const create = (sessions: Sessions, capabilities = {}) => sessions.create(newestLegacy, capabilities, ada)

  it('keep what was settled, and give the same session each time', () => {
    const sessions = start()
    const id = create(sessions, { sampling: {} })
    expect(sessions.find(id, ada)).toMatchObject({
      revision: findRevision('2025-11-25'),
      clientCapabilities: { sampling: {} },
      logLevel: undefined,
    })
    expect(sessions.find(id, ada)).toBe(sessions.find(id, ada))
    expect(create(sessions)).not.toBe(create(sessions))
  })

  it('are served by a replica that has the key, and by none that has not', () => {
    const id = create(start(), { roots: {} })
    expect(start().find(id, ada).clientCapabilities).toEqual({ roots: {} })
    expect(() => createSessions(createSeal('session', undefined), clock).find(id, ada)).toThrow(lost)
  })

  it('S5: are not there for another subject or tenant, opened before or not', () => {
    const sessions = start()
    const id = create(sessions)
    for (const other of [eve, elsewhere]) {
      expect(() => sessions.find(id, other)).toThrow(lost)
      expect(() => sessions.end(id, other)).toThrow(lost)
    }
    expect(sessions.find(id, ada)).toBeDefined()
    expect(() => sessions.find(id, eve)).toThrow(lost)
  })

  it('expire after a day, used or not', () => {
    const sessions = start()
    const [used, unused] = [create(sessions), create(sessions)]
    sessions.find(used, ada)
    now += 24 * hour - 1
    expect(sessions.find(used, ada)).toBeDefined()
    now += 1
    for (const id of [used, unused]) expect(() => sessions.find(id, ada)).toThrow(lost)
  })

  it('end once, and are not opened again', () => {
    const sessions = start()
    const id = create(sessions)
    sessions.end(id, ada)
    expect(() => sessions.find(id, ada)).toThrow(lost)
    expect(() => sessions.end(id, ada)).toThrow(lost)
  })

  it('are kept to 10,000 at hand: one that falls out is opened anew, with what was sealed', () => {
    const sessions = start()
    const first = create(sessions, { roots: {} })
    sessions.find(first, ada).logLevel = 'error'
    for (let count = 0; count < 10_000; count += 1) sessions.find(create(sessions), ada)
    expect(sessions.find(first, ada)).toMatchObject({
      logLevel: undefined,
      clientCapabilities: { roots: {} },
    })
  })

  it('with open calls or streams stay at hand, so that they can still be ended', () => {
    const sessions = start()
    const [calling, listening, idle] = [create(sessions), create(sessions), create(sessions)]
    const cancellation = new Cancellation()
    sessions.find(calling, ada).running.set(1, cancellation)
    let streamsEnded = 0
    sessions.find(listening, ada).streams.add(() => (streamsEnded += 1))
    const left = sessions.find(idle, ada)
    for (let count = 0; count < 10_000; count += 1) sessions.find(create(sessions), ada)
    expect(sessions.find(idle, ada)).not.toBe(left)
    sessions.end(calling, ada)
    sessions.end(listening, ada)
    expect([cancellation.reason?.code, streamsEnded]).toEqual(['CANCELLED', 1])
  })

  it('are kept to 10,000 at hand where all are in use too: the oldest falls out', () => {
    const sessions = start()
    const ids = Array.from({ length: 10_001 }, () => create(sessions))
    for (const id of ids) sessions.find(id, ada).running.set(1, new Cancellation())
    expect(sessions.find(ids[1]!, ada).running.size).toBe(1)
    expect(sessions.find(ids[0]!, ada).running.size).toBe(0)
  })

  it('cut enormous capabilities down to their names', () => {
    const sessions = start()
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, at) => [`c${at}`, { x: 'y'.repeat(100) }]),
    )
    const id = create(sessions, { sampling: { big: 'x'.repeat(5_000) }, ['n'.repeat(100)]: {}, ...many })
    const { clientCapabilities } = sessions.find(id, ada)
    expect(clientCapabilities).toMatchObject({ sampling: {} })
    expect(Object.keys(clientCapabilities)).toHaveLength(16)
    expect(id.length).toBeLessThan(2_000)
  })

  it.each([
    null,
    7,
    'x',
    {},
    { v: '2025-11-25' },
    { v: 'none', e: 9e15, c: {}, s: ada.subject, t: ada.tenant },
  ])('are not made of a sealed %j', (data) => {
    expect(() => start().find(createSeal('session', secret).seal(data), ada)).toThrow(lost)
  })
})

describe('request states', () => {
  const refused = expect.objectContaining({ code: 'INVALID_PARAMS' })
  const start = () => createRequestStates(createSeal('request-state', secret), clock)
  const binding = { caller: ada, id: 'a:tool', input: { a: 1, b: { c: [1, 2], d: 2 } } }

  it('S6: come back once, for the same call, whatever the order of its keys', () => {
    const states = start()
    const sealed = states.seal('mine', binding)
    const reordered = { ...binding, input: { b: { d: 2, c: [1, 2] }, a: 1 } }
    expect(states.open(sealed, reordered)).toBe('mine')
    expect(() => states.open(sealed, binding)).toThrow(refused)
    expect(states.open(states.seal(undefined, binding), binding)).toBeUndefined()
    expect(states.open(states.seal('', binding), binding)).toBe('')
  })

  it.each([
    ['another subject', { ...binding, caller: eve }],
    ['another tenant', { ...binding, caller: elsewhere }],
    ['another tool', { ...binding, id: 'a:other' }],
    ['other arguments', { ...binding, input: { a: 1 } }],
    ['an array in another order', { ...binding, input: { a: 1, b: { c: [2, 1], d: 2 } } }],
    ['a text for a number', { ...binding, input: { a: '1', b: { c: [1, 2], d: 2 } } }],
    ['names that run together', { ...binding, caller: { subject: 'ada', tenant: 'onelocal:' } }],
  ])('S6: are refused for %s, and not used up by that', (_what, other) => {
    const states = start()
    const sealed = states.seal('mine', binding)
    expect(() => states.open(sealed, other)).toThrow(refused)
    expect(states.open(sealed, binding)).toBe('mine')
  })

  it('S6: are refused when any character of them is changed', () => {
    const states = start()
    const sealed = states.seal('mine', binding)
    for (let at = 0; at < sealed.length; at += 1) {
      const other = sealed[at] === 'A' ? 'B' : 'A'
      expect(() => states.open(sealed.slice(0, at) + other + sealed.slice(at + 1), binding)).toThrow(refused)
    }
    expect(states.open(sealed, binding)).toBe('mine')
  })

  it.each([undefined, null, 7, {}, '', 'x'])('S6: are not made of %j', (sealed) => {
    expect(() => start().open(sealed, binding)).toThrow(refused)
  })

  it('S6: expire after an hour', () => {
    const states = start()
    const [early, late] = [states.seal('a', binding), states.seal('a', binding)]
    now += hour - 1
    expect(states.open(early, binding)).toBe('a')
    now += 1
    expect(() => states.open(late, binding)).toThrow(refused)
  })

  it('S6: a session id is no state', () => {
    const id = createSessions(createSeal('session', secret), clock).create(newestLegacy, {}, ada)
    expect(() => start().open(id, binding)).toThrow(refused)
  })
})
