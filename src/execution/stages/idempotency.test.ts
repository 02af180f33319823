import { describe, expect, it, vi } from 'vitest'
import { WeirError } from '../../core/error.ts'
import { InputRequired, TaskStarted } from '../../core/outcome.ts'
import type { Tool } from '../../core/tool.ts'
import { deadStores } from '../pipeline.fixture.ts'
import { ada, createGuarded, holdMs, no, yes } from './confirm.fixture.ts'

const key = { idempotencyKey: 'k-1' }
const dayMs = 24 * 60 * 60_000

/** A tool without an approval before it. */
function createKeyed(tool: Partial<Tool> = {}, more: Parameters<typeof createGuarded>[0] = {}) {
  return createGuarded({
    ...more,
    tool,
    policy: { confirm: undefined, timeoutMs: 1_000, ...more.policy } as never,
  })
}

const failing = (...errors: readonly (WeirError | undefined)[]) => {
  const left = [...errors]
  const effects: unknown[] = []
  const run = async (input: unknown) => {
    effects.push(input)
    const error = left.shift()
    if (error !== undefined) throw error
    return { structuredContent: { ok: true } }
  }
  return { effects, run }
}

describe('R2, B-134, C-24: a call with a key', () => {
  it('runs once, and its answer is given again, marked, whoever of the caller’s sends it', async () => {
    const { start, effects } = await createKeyed()
    expect(await start({ to: 'bob' }, key).ended).toEqual({
      kind: 'complete',
      result: { structuredContent: { number: 1 } },
    })
    const again = { structuredContent: { number: 1 }, _meta: { 'weir/replayed': true } }
    expect(await start({ to: 'bob' }, key).ended).toEqual({ kind: 'complete', result: again })
    expect(effects).toHaveLength(1)
  })

  it('D2-098: is known for 24 hours', async () => {
    const { start, effects, clock } = await createKeyed()
    await start({}, key).ended
    await clock.advance(dayMs - 1)
    await start({}, key).ended
    expect(effects).toHaveLength(1)
    await clock.advance(1)
    await start({}, key).ended
    expect(effects).toHaveLength(2)
  })

  it('is another caller’s own, and no key at all for a read', async () => {
    const { start, effects } = await createKeyed()
    await start({}, key).ended
    await start({}, { ...key, caller: { ...ada, subject: 'local:eve' } }).ended
    expect(effects).toHaveLength(2)
    const reading = failing()
    const reads = await createKeyed({ effect: 'read', run: reading.run })
    await reads.start({}, key).ended
    await reads.start({}, key).ended
    expect(reading.effects).toHaveLength(2)
  })

  it('is refused with other arguments', async () => {
    const { start, effects } = await createKeyed()
    await start({ to: 'bob' }, key).ended
    const other = await start({ to: 'eve' }, key).ended
    expect(other).toMatchObject({ error: { code: 'IDEMPOTENCY_MISMATCH', spec: { http: 422 } } })
    expect(effects).toHaveLength(1)
  })

  it('is refused while it runs, and after its time nobody knows what became of it', async () => {
    const run = vi.fn(() => new Promise<never>(() => {}))
    const { start, clock } = await createKeyed({ run })
    const { ended } = start({}, key)
    await vi.waitFor(() => expect(run).toHaveBeenCalled())
    const inFlight = { error: { code: 'IDEMPOTENCY_IN_FLIGHT', data: { retryAfterMs: 1_000 } } }
    expect(await start({}, key).ended).toMatchObject(inFlight)
    await clock.advance(5_999)
    expect(await ended).toMatchObject({ error: { code: 'OUTCOME_UNKNOWN' } })
    expect(await start({}, key).ended).toMatchObject(inFlight)
    await clock.advance(1)
    expect(await start({}, key).ended).toMatchObject({ error: { code: 'OUTCOME_UNKNOWN' } })
    expect(run).toHaveBeenCalledOnce()
  })

  it.each([
    ['was not sent', new WeirError('UPSTREAM_UNREACHABLE', 'x', { data: { sent: false } })],
    ['changed nothing', new WeirError('SQL_CONFLICT', 'x')],
  ])('may run again under its key where it provably %s', async (_, error) => {
    const { run, effects } = failing(error)
    const { start } = await createKeyed({ run })
    expect(await start({}, key).ended).toMatchObject({ error: { code: error.code } })
    expect(await start({}, key).ended).toMatchObject({ result: { structuredContent: { ok: true } } })
    expect(effects).toHaveLength(2)
  })

  it.each([
    ['UPSTREAM_TIMEOUT', 'OUTCOME_UNKNOWN'],
    ['UPSTREAM_UNREACHABLE', 'OUTCOME_UNKNOWN'],
    ['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'],
    ['INTERNAL', 'OUTCOME_UNKNOWN'],
    ['SQL_ERROR', 'SQL_ERROR'],
    ['UPSTREAM_REFUSED', 'UPSTREAM_REFUSED'],
  ] as const)('after %s gives %s and never runs again', async (first, then) => {
    const { run, effects } = failing(
      new WeirError(first, 'no such table', { hint: 'Make it.', data: { a: 1 } }),
    )
    const { start } = await createKeyed({ run })
    expect(await start({}, key).ended).toMatchObject({ error: { code: first } })
    const again = await start({}, key).ended
    expect(again).toMatchObject({ error: { code: then } })
    if (then === first && then !== 'OUTCOME_UNKNOWN') {
      expect(again).toMatchObject({ error: { message: 'no such table', data: { a: 1, isReplayed: true } } })
    }
    expect(effects).toHaveLength(1)
  })

  it('whose client left has an outcome that nobody knows', async () => {
    const run = vi.fn((_: unknown, { signal }: { signal: AbortSignal }) => {
      return new Promise<never>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      )
    })
    const { start } = await createKeyed({ run })
    const { ended, cancellation } = start({}, key)
    await vi.waitFor(() => expect(run).toHaveBeenCalled())
    cancellation.cancel(new WeirError('CANCELLED', 'The client left.'))
    expect(await ended).toMatchObject({ error: { code: 'CANCELLED' } })
    await vi.waitFor(async () =>
      expect(await start({}, key).ended).toMatchObject({ error: { code: 'OUTCOME_UNKNOWN' } }),
    )
    expect(run).toHaveBeenCalledOnce()
  })

  it('whose answer is too large says that it is done', async () => {
    const effects: unknown[] = []
    const run = async () => {
      effects.push(1)
      return { structuredContent: { text: 'x'.repeat(300_000) } }
    }
    const { start } = await createKeyed({ run })
    expect(await start({}, key).ended).toMatchObject({ kind: 'complete' })
    expect(await start({}, key).ended).toMatchObject({ error: { code: 'RESULT_NOT_KEPT' } })
    expect(effects).toHaveLength(1)
  })

  it('gives the task again that it began', async () => {
    const started = vi.fn(async () => new TaskStarted({ taskId: 't', status: 'working' }))
    const { start } = await createKeyed({ run: started })
    const first = await start({}, key).ended
    expect(await start({}, key).ended).toEqual(first)
    expect(started).toHaveBeenCalledOnce()
  })

  it('gives its key back while it waits for an approval, or for an answer', async () => {
    const guarded = await createGuarded()
    const first = guarded.start({ to: 'bob' }, key)
    const { id } = await guarded.waiting()
    expect(await guarded.start({ to: 'bob' }, key).ended).toMatchObject({
      error: { code: 'IDEMPOTENCY_IN_FLIGHT' },
    })
    await guarded.clock.advance(holdMs)
    expect(await first.ended).toMatchObject({ kind: 'pending' })
    await guarded.desk.decide(id, yes)
    expect(await guarded.start({ to: 'bob' }, key).ended).toMatchObject({ kind: 'complete' })
    // A replay asks nobody again.
    expect(await guarded.start({ to: 'bob' }, key).ended).toMatchObject({
      result: { _meta: { 'weir/replayed': true } },
    })
    expect(guarded.effects).toHaveLength(1)
    const asking = await createKeyed({ run: async () => new InputRequired({ q: {} }) })
    for (let at = 0; at < 2; at += 1) {
      expect(await asking.start({}, key).ended).toMatchObject({ kind: 'input-required' })
    }
  })

  it('may run under its key after it was refused before it was sent', async () => {
    const { start, waiting, desk, effects } = await createGuarded()
    const first = start({}, key)
    await desk.decide((await waiting()).id, no)
    expect(await first.ended).toMatchObject({ error: { code: 'CONFIRMATION_DENIED' } })
    const second = start({}, key)
    await desk.decide((await waiting()).id, yes)
    expect(await second.ended).toMatchObject({ kind: 'complete' })
    expect(effects).toHaveLength(1)
  })

  it('is not run where its key cannot be kept, and is answered where only its end cannot', async () => {
    const keep = async (names: readonly ('reserve' | 'finish')[]) =>
      createKeyed(
        {},
        {
          damage: (own) => {
            const dead = Object.fromEntries(names.map((name) => [name, deadStores.idempotency[name]]))
            return { idempotency: { ...own.idempotency, ...dead } }
          },
        },
      )
    const closed = await keep(['reserve'])
    expect(await closed.start({}, key).ended).toMatchObject({ error: { code: 'STORE_UNAVAILABLE' } })
    expect(closed.effects).toEqual([])
    const half = await keep(['finish'])
    expect(await half.start({}, key).ended).toMatchObject({ kind: 'complete' })
    await half.clock.advance(6_000)
    expect(await half.start({}, key).ended).toMatchObject({ error: { code: 'OUTCOME_UNKNOWN' } })
    expect(half.effects).toHaveLength(1)
  })

  it('of fifty at once runs once', async () => {
    const { start, effects } = await createKeyed()
    const all = await Promise.all(Array.from({ length: 50 }, () => start({}, key).ended))
    expect(effects).toHaveLength(1)
    const codes = all.map((outcome) => (outcome.kind === 'failed' ? outcome.error.code : outcome.kind))
    for (const code of codes) expect(['complete', 'IDEMPOTENCY_IN_FLIGHT']).toContain(code)
  })
})
