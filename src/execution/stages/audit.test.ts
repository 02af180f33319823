import { describe, expect, it } from 'vitest'
import type { AuditDraft } from '../../core/audit.ts'
import type { Call, Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Stage } from '../../core/policy.ts'
import { jsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { AuditWriter } from '../audit/audit-writer.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createExecutor } from '../executor.ts'
import { createPartsWithoutStore } from '../pipeline.fixture.ts'
import { createStages } from '../pipeline.ts'
import { silentLog } from '../silent-log.fixture.ts'

/** A whole pipeline over a store that a test can stop. `stages`: more of them, inside the audit. */
function setUp({ reads = true, stage }: { reads?: boolean; stage?: Stage } = {}) {
  const clock = createFakeClock()
  const records: AuditDraft[] = []
  const happened: string[] = []
  const state: { failure: WeirError | undefined; gate: Promise<void> | undefined } = {
    failure: undefined,
    gate: undefined,
  }
  const append = async (drafts: readonly string[]) => {
    await state.gate
    if (state.failure !== undefined) throw state.failure
    const added = drafts.map((text) => JSON.parse(text) as AuditDraft)
    records.push(...added)
    happened.push(...added.map(({ kind }) => kind))
  }
  const writer = new AuditWriter({ store: { append }, clock, log: silentLogger })
  const stages = [
    ...createStages({
      ...{ log: silentLog, metrics: createMetrics(), clock, audit: { writer, clock, reads } },
      ...createPartsWithoutStore(clock),
    }),
  ]
  if (stage !== undefined) stages.splice(stages.findIndex(({ name }) => name === 'audit') + 1, 0, stage)
  const executor = createExecutor({ stages, resolvePolicy: () => policy })
  const run = (tool: Partial<Tool> = {}, more: Partial<Call> = {}) => {
    const answer = tool.run ?? (async () => ({}))
    const entry = createEntry({
      ...tool,
      async run(input, context) {
        happened.push('effect')
        return answer(input, context)
      },
    })
    return executor.execute(createCall(entry, more))
  }
  return { clock, records, happened, state, writer, run }
}

const away = new WeirError('STORE_UNAVAILABLE', 'The store has no room.', { data: { outcome: 'not-done' } })

describe('a call that changes something', () => {
  it.each([
    'write',
    'idempotent-write',
    'destructive',
  ] as const)('D4-081: is in the audit before its effect, and its outcome after (%s)', async (effect) => {
    const { run, records, happened, clock } = setUp()
    const outcome = await run({ effect }, { input: { to: 'bob' } })
    await clock.advance(0)
    expect(outcome.kind).toBe('complete')
    expect(happened).toEqual(['intent', 'effect', 'outcome'])
    const [intent, end] = records
    const who = { call: 'call-1', subject: 'local:ada', tenant: 'default', tool: 'box:echo' }
    expect(intent).toMatchObject({ ...who, via: 'rest', effect, input: { to: 'bob' } })
    expect(intent?.definition).toMatch(/^[\w-]{43}$/)
    expect(end).toMatchObject({ ...who, outcome: 'ok', durationUs: 0 })
    expect(end).not.toHaveProperty('input')
  })

  it('waits for the disk, and answers without waiting for it again', async () => {
    const { run, happened, state, clock } = setUp()
    let open = () => {}
    state.gate = new Promise((resolve) => {
      open = resolve
    })
    const call = run({ effect: 'write' })
    await clock.advance(10)
    expect(happened).toEqual([])
    open()
    state.gate = undefined
    await clock.advance(0)
    state.gate = new Promise(() => {})
    expect((await call).kind).toBe('complete')
  })

  it('R17: is refused while the audit cannot be written, and goes on when it can', async () => {
    const { run, records, happened, state, clock } = setUp()
    state.failure = away
    for (const effect of ['write', 'idempotent-write', 'destructive'] as const) {
      expect(await run({ effect })).toMatchObject({ kind: 'failed', error: { code: 'AUDIT_UNAVAILABLE' } })
    }
    expect((await run()).kind).toBe('complete')
    expect(happened).toEqual(['effect'])
    state.failure = undefined
    expect((await run({ effect: 'write' })).kind).toBe('complete')
    await clock.advance(1_000)
    // What was refused is told of as soon as it can be.
    expect(records.filter(({ error }) => error === 'AUDIT_UNAVAILABLE')).toHaveLength(3)
    expect(records.filter(({ effect }) => effect === 'read')).toHaveLength(1)
  })

  it('that its caller left while the disk was waited for has no effect', async () => {
    const { run, records, happened, state, clock } = setUp()
    let open = () => {}
    state.gate = new Promise((resolve) => {
      open = resolve
    })
    const cancellation = new Cancellation()
    const call = run({ effect: 'write' }, { cancellation })
    cancellation.cancel(new WeirError('CANCELLED', 'The client left.'))
    open()
    expect(await call).toMatchObject({ kind: 'failed', error: { code: 'CANCELLED' } })
    await clock.advance(100)
    expect(happened).toEqual(['intent', 'outcome'])
    expect(records[1]).toMatchObject({ outcome: 'failed', error: 'CANCELLED' })
  })

  it('that is refused before it is sent has one record, which says all', async () => {
    const { run, records, happened, clock } = setUp()
    const input = jsonSchema({ type: 'object', required: ['to'] }) as Tool['input']
    await run({ effect: 'destructive', input })
    await clock.advance(100)
    expect(happened).toEqual(['call'])
    expect(records[0]).toMatchObject({ input: {}, outcome: 'failed', error: 'INVALID_INPUT' })
  })

  it('answers its caller although its outcome cannot be written, which is written later', async () => {
    const { run, happened, state, clock } = setUp()
    const outcome = await run({
      effect: 'write',
      run: async () => {
        state.failure = away
        return { structuredContent: 1 }
      },
    })
    expect(outcome).toMatchObject({ kind: 'complete', result: { structuredContent: 1 } })
    await clock.advance(5_000)
    expect(happened).toEqual(['intent', 'effect'])
    state.failure = undefined
    await clock.advance(1_000)
    expect(happened).toEqual(['intent', 'effect', 'outcome'])
  })
})

describe('a call that only reads', () => {
  it('is written with others within 100 ms', async () => {
    const { run, records, clock } = setUp()
    await run()
    await clock.advance(60)
    await run({ run: async () => ({ isError: true }) })
    await clock.advance(39)
    expect(records).toEqual([])
    await clock.advance(1)
    expect(records.map(({ outcome }) => outcome)).toEqual(['ok', 'tool-error'])
  })

  it('is left out where reads are not wanted; refusals are not', async () => {
    const stage: Stage = {
      name: 'refuse',
      wrap: () => (call) => {
        call.trail!.rule = 'nothing allows it'
        return Promise.reject(new WeirError('RATE_LIMITED' as 'OVERLOADED', 'No.'))
      },
    }
    const { run, clock, records } = setUp({ reads: false })
    const refusing = setUp({ reads: false, stage })
    await run()
    await refusing.run()
    await clock.advance(2_000)
    await refusing.clock.advance(2_000)
    expect(records).toEqual([])
    expect(refusing.records).toMatchObject([{ kind: 'denials', rule: 'nothing allows it' }])
  })

  it('has its trace, and D4-019, B-122: what the assistant thought and where it stood', async () => {
    const { run, records, clock } = setUp()
    const meta = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
    await run({}, { note: { thought: 'Find Bob.', step: 'SEARCHING' }, meta })
    await clock.advance(100)
    expect(records).toMatchObject([{ thought: 'Find Bob.', step: 'SEARCHING', ...meta }])
  })

  it('that nobody can write as JSON is there without its arguments', async () => {
    const { run, records, clock } = setUp()
    await run({}, { input: { big: 1n } })
    await clock.advance(100)
    expect(records).toMatchObject([{ outcome: 'ok' }])
  })
})

it('is noted down where the tool cannot say its schema', async () => {
  const sayNothing = () => {
    throw new Error('no schema')
  }
  const input = { '~standard': { version: 1, vendor: 'x', jsonSchema: { input: sayNothing } } }
  const { run, records, clock } = setUp()
  const broken = { input: input as never }
  expect(await run(broken)).toMatchObject({ kind: 'failed', error: { code: 'UPSTREAM_PROTOCOL' } })
  expect(await run({ ...broken, effect: 'write' })).toMatchObject({ error: { code: 'UPSTREAM_PROTOCOL' } })
  await clock.advance(100)
  expect(records).toHaveLength(2)
})

it('has what other stages decided', async () => {
  const stage: Stage = {
    name: 'decide',
    wrap: (_entry, _policy, next) => (call) => {
      Object.assign(call.trail!, { decision: 'allowed', rule: 'r', approval: 'a', idempotencyKey: 'k' })
      return next(call)
    },
  }
  const { run, records } = setUp({ stage })
  await run({ effect: 'write' })
  expect(records[0]).toMatchObject({ decision: 'allowed', rule: 'r', approval: 'a', idempotencyKey: 'k' })
})

it('sums refusals by caller, tool and second', async () => {
  const refuse = (code: string): Stage => ({
    name: 'refuse',
    wrap: () => () => Promise.reject(new WeirError(code as 'OVERLOADED', 'No.')),
  })
  const { run, records, clock } = setUp({ stage: refuse('PERMISSION_DENIED') })
  const bob = { caller: { subject: 'local:bob', tenant: 'default' } }
  for (let index = 0; index < 500; index += 1) await run({ effect: 'write' }, { input: { index } })
  await run({ effect: 'write' }, bob)
  await run({ name: 'other' }, bob)
  await clock.advance(1_100)
  await run({ effect: 'write' })
  await clock.advance(1_100)
  const shown = records.map(({ kind, subject, tool, count }) => `${kind} ${subject} ${tool} ${count}`)
  expect(shown).toEqual([
    'denials local:ada box:echo 500',
    'denials local:bob box:echo 1',
    'denials local:bob box:other 1',
    'denials local:ada box:echo 1',
  ])
  expect(records[0]).toMatchObject({ outcome: 'denied', error: 'PERMISSION_DENIED', decision: 'denied' })
})

it('costs nothing where it is off, and leaves completions alone', () => {
  const clock = createFakeClock()
  const parts = { log: silentLog, metrics: createMetrics(), clock, ...createPartsWithoutStore(clock) }
  expect(createStages(parts).filter(({ name }) => name.startsWith('audit'))).toEqual([])
  const writer = new AuditWriter({ store: { append: async () => {} }, clock, log: silentLogger })
  const stages = createStages({ ...parts, metrics: createMetrics(), audit: { writer, clock, reads: true } })
  const next: Run = async () => ({ kind: 'complete', result: {} })
  const audits = stages.filter(({ name }) => name.startsWith('audit'))
  expect(audits.map(({ name }) => name)).toEqual(['audit', 'audit-intent'])
  const completion = createEntry({ kind: 'completion' as 'tool', effect: 'write' })
  for (const stage of audits) expect(stage.wrap(completion, policy, next)).toBe(next)
  expect(audits[1]!.wrap(createEntry(), policy, next)).toBe(next)
})
