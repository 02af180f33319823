import { describe, expect, it } from 'vitest'
import type { Call, Run } from '../../core/call.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import type { Effect } from '../../core/tool.ts'
import { createLog, type LogSettings } from '../../telemetry/log.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createLogStage } from './log-call.ts'

interface Told {
  readonly next?: Run
  readonly effect?: Effect
  readonly level?: LogSettings['level']
  readonly call?: Partial<Call>
}

/** The lines that one call leaves in the log. */
async function linesOf({ next, effect = 'read', level = 'info', call = {} }: Told) {
  const lines: Record<string, unknown>[] = []
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  log.configure({ level, format: 'json', redact: (line) => line })
  const clock = createFakeClock()
  const entry = createEntry({ effect })
  const run = createLogStage(log, clock).wrap(entry, policy, async (asked) => {
    await clock.advance(12.34)
    return (next ?? (async () => ({ kind: 'complete', result: {} })))(asked)
  })
  await run(createCall(entry, call)).catch(() => {})
  return lines
}

const isError: Run = async () => ({ kind: 'complete', result: { isError: true } })
const fail =
  (error: unknown): Run =>
  () =>
    Promise.reject(error)

describe('the line of a call', () => {
  it('says who called what, which way, how it ended and how long it took', async () => {
    expect(await linesOf({ level: 'debug' })).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        event: 'call.finished',
        call: 'call-1',
        tool: 'box:echo',
        caller: 'local:ada',
        via: 'rest',
        ms: 12.3,
        outcome: 'complete',
        msg: 'A call ended.',
      },
    ])
  })

  it.each<Effect>([
    'read',
    'idempotent-write',
    'write',
    'destructive',
  ])('is left out for a call that succeeds, effect %s, unless the level is debug', async (effect) => {
    expect(await linesOf({ effect })).toEqual([])
    expect(await linesOf({ effect, level: 'debug' })).toHaveLength(1)
  })

  it('is written for a call that fails, however politely (B-06)', async () => {
    expect(await linesOf({ next: isError })).toMatchObject([{ outcome: 'tool-error', level: 'info' }])
  })

  it('holds neither the arguments nor the answer', async () => {
    const lines = await linesOf({
      level: 'debug',
      call: { input: { body: 'canary-in' } },
      next: async () => ({ kind: 'complete', result: { structuredContent: 'canary-out' } }),
    })
    expect(lines).toHaveLength(1)
    expect(JSON.stringify(lines)).not.toContain('canary')
  })
})

describe('the line of a failure', () => {
  it('is mild where the caller can mend it', async () => {
    const error = new WeirError('INVALID_INPUT', 'n must be number', { cause: new Error('inner') })
    expect(await linesOf({ next: fail(error) })).toMatchObject([
      { level: 'info', outcome: 'INVALID_INPUT', error: 'n must be number', msg: 'The call was refused.' },
    ])
  })

  it('is a warning with the cause, stack and all, where it is not the caller’s', async () => {
    const error = new WeirError('UPSTREAM_UNREACHABLE', 'No answer.', { cause: new Error('ECONNRESET') })
    const [line] = await linesOf({ next: fail(error) })
    expect(line).toMatchObject({ level: 'warn', outcome: 'UPSTREAM_UNREACHABLE', error: 'No answer.' })
    expect(line!['cause']).toMatch(/^Error: ECONNRESET\n +at /)
  })

  it.each([
    [new TypeError('x is undefined'), /^TypeError: x is undefined\n/],
    ['thrown text', /^thrown text$/],
  ])('holds what the caller is not told: %s', async (thrown, cause) => {
    const [line] = await linesOf({ next: fail(thrown) })
    expect(line).toMatchObject({ outcome: 'INTERNAL', cause: expect.stringMatching(cause) })
    expect(line!['error']).toBe('Weir failed to run this call.')
  })

  it('names the reason why the call was stopped, whatever was thrown then', async () => {
    const cancellation = new Cancellation()
    cancellation.cancel(new WeirError('CANCELLED', 'The client left.'))
    expect(await linesOf({ call: { cancellation }, next: fail(new Error('socket hang up')) })).toMatchObject([
      { outcome: 'CANCELLED', error: 'The client left.', level: 'info' },
    ])
  })

  it('is passed on as it was thrown', async () => {
    const log = createLog(() => {})
    const error = new Error('x')
    const entry = createEntry()
    const run = createLogStage(log, createFakeClock()).wrap(entry, policy, fail(error))
    await expect(run(createCall(entry))).rejects.toBe(error)
  })
})
