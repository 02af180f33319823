import { describe, expect, it } from 'vitest'
import type { Run } from '../core/call.ts'
import { Cancellation } from '../core/cancellation.ts'
import { renderError, WeirError } from '../core/error.ts'
import type { CallEvent } from '../core/event.ts'
import { InputRequired } from '../core/outcome.ts'
import type { Stage } from '../core/policy.ts'
import type { RunContext, Tool } from '../core/tool.ts'
import { createCall, createEntry, policy } from './call.fixture.ts'
import { createExecutor } from './executor.ts'

const createPlain = (stages: readonly Stage[] = []) => createExecutor({ stages, resolvePolicy: () => policy })

/** Runs one tool through an executor without stages. */
const run = (tool: Partial<Tool>, more: Parameters<typeof createCall>[1] = {}) =>
  createPlain().execute(createCall(createEntry(tool), more))

describe('the chain', () => {
  const countWraps = () => {
    const counts = { wraps: 0, policies: 0 }
    const stage: Stage = {
      name: 'count',
      wrap(_entry, _policy, next) {
        counts.wraps += 1
        return next
      },
    }
    const resolvePolicy = () => {
      counts.policies += 1
      return policy
    }
    return { counts, executor: createExecutor({ stages: [stage], resolvePolicy }) }
  }

  it('is composed once for each entry, however often it is called', async () => {
    const { counts, executor } = countWraps()
    const [one, two] = [createEntry(), createEntry({ name: 'two' })]
    for (const entry of [one, one, two, one, two]) await executor.execute(createCall(entry))
    expect(counts).toEqual({ wraps: 2, policies: 2 })
  })

  it('is composed anew for another entry of the same id: its definition may have changed', async () => {
    const { counts, executor } = countWraps()
    await executor.execute(createCall(createEntry()))
    await executor.execute(createCall(createEntry()))
    expect(counts.wraps).toBe(2)
  })

  it('passes the stages outermost first', async () => {
    const order: string[] = []
    const trace = (name: string): Stage => ({
      name,
      wrap: (_entry, _policy, next) => async (call) => {
        order.push(`${name} in`)
        const outcome = await next(call)
        order.push(`${name} out`)
        return outcome
      },
    })
    await createPlain([trace('a'), trace('b')]).execute(createCall(createEntry()))
    expect(order).toEqual(['a in', 'b in', 'b out', 'a out'])
  })

  it('answers INTERNAL where composing it fails, and tries again with the next call', async () => {
    let failures = 0
    const stage: Stage = {
      name: 'broken',
      wrap(_entry, _policy, next): Run {
        failures += 1
        if (failures === 1) throw new Error('broken')
        return next
      },
    }
    const executor = createPlain([stage])
    const entry = createEntry()
    expect(await executor.execute(createCall(entry))).toMatchObject({
      kind: 'failed',
      error: { code: 'INTERNAL' },
    })
    expect(await executor.execute(createCall(entry))).toMatchObject({ kind: 'complete' })
  })
})

describe('the outcome', () => {
  it('is the tool’s result, object and all', async () => {
    const result = { content: [{ type: 'text', text: 'hi', unknown: 1 }], extra: true }
    const outcome = await run({ run: async () => result })
    expect(outcome).toEqual({ kind: 'complete', result })
    expect(outcome.kind === 'complete' && outcome.result).toBe(result)
  })

  it('is input-required for a tool that asks, and not for a result that only looks so', async () => {
    const required = new InputRequired({ name: { method: 'elicitation/create' } }, 'state')
    expect(await run({ run: async () => required })).toEqual({ kind: 'input-required', required })
    expect(await run({ run: async () => ({ questions: {}, resume: 'state' }) })).toMatchObject({
      kind: 'complete',
    })
  })

  it('is the WeirError that the tool threw, itself', async () => {
    const error = new WeirError('SQL_ERROR', 'no such table: x')
    const outcome = await run({ run: () => Promise.reject(error) })
    expect(outcome.kind === 'failed' && outcome.error).toBe(error)
  })

  it.each([
    [
      'throws at once',
      () => {
        throw new TypeError('secret-42')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('secret-42'))],
    ['throws what is no error', () => Promise.reject('secret-42')],
  ])('is INTERNAL where a tool %s, and nothing of it is told', async (_, broken) => {
    const outcome = await run({ run: broken })
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'INTERNAL' } })
    if (outcome.kind !== 'failed') return
    expect(JSON.stringify(renderError(outcome.error))).not.toContain('secret-42')
    expect(String((outcome.error.cause as Error).message ?? outcome.error.cause)).toBe('secret-42')
  })

  it.each([
    [undefined],
    [null],
    ['text'],
    [7],
    [[]],
  ])('is INTERNAL where a tool answers with %j, which is no result', async (answer) => {
    const forgetful = (async () => answer) as unknown as Tool['run']
    expect(await run({ run: forgetful })).toMatchObject({ kind: 'failed', error: { code: 'INTERNAL' } })
  })
})

describe('cancellation', () => {
  it('gives its reason, whatever the tool throws once it was told to stop', async () => {
    const cancellation = new Cancellation()
    const left = new WeirError('CANCELLED', 'The client left.')
    const outcome = await run(
      {
        run: (_input, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('socket hang up')))
            cancellation.cancel(left)
          }),
      },
      { cancellation },
    )
    expect(outcome.kind === 'failed' && outcome.error).toBe(left)
  })

  it('before the call begins means that the tool never runs', async () => {
    const cancellation = new Cancellation()
    const left = new WeirError('CANCELLED', 'The client left.')
    cancellation.cancel(left)
    let ran = false
    const outcome = await run(
      {
        run: async () => {
          ran = true
          return {}
        },
      },
      { cancellation },
    )
    expect(outcome.kind === 'failed' && outcome.error).toBe(left)
    expect(ran).toBe(false)
  })
})

describe('what a tool sees', () => {
  const seen = async (more: Parameters<typeof createCall>[1]) => {
    let context: RunContext | undefined
    await run(
      {
        run: async (_input, given) => {
          context = given
          return {}
        },
      },
      more,
    )
    return context!
  }

  it('is what the call carries', async () => {
    const cancellation = new Cancellation()
    const answers = { responses: { name: 'ada' }, resume: 'state' }
    const meta = { traceparent: '00-1' }
    const clientCapabilities = { sampling: {} }
    const context = await seen({
      cancellation,
      answers,
      meta,
      clientCapabilities,
      logLevel: 'info',
      wantsProgress: true,
    })
    expect(context).toMatchObject({
      answers,
      meta,
      clientCapabilities,
      logLevel: 'info',
      wantsProgress: true,
    })
    expect(context.signal).toBe(cancellation.signal)
    expect(context.caller.subject).toBe('local:ada')
  })

  it('has no field for what the call does not carry', async () => {
    expect(Object.keys(await seen({})).sort()).toEqual(['caller', 'wantsProgress'])
  })

  it('may emit, whether anybody listens or not', async () => {
    const events: CallEvent[] = []
    const event = { kind: 'progress', progress: 1 } as const
    const talk: Partial<Tool> = {
      run: async (_input, context) => {
        context.emit(event)
        return {}
      },
    }
    await run(talk, { emit: (told) => events.push(told) })
    expect(await run(talk)).toMatchObject({ kind: 'complete' })
    expect(events).toEqual([event])
  })
})
