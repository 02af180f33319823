import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import type { CallEvent } from '../../core/event.ts'
import { silentLogger } from '../../core/logger.ts'
import {
  type Answer,
  type InputAnswers,
  InputRefused,
  InputRequired,
  type Result,
} from '../../core/outcome.ts'
import type { RunContext } from '../../core/tool.ts'
import { asked } from './fixtures/asked.fixture.ts'
import { createAskingV1Server } from './fixtures/asking-v1-server.fixture.ts'
import { startSdkV1 } from './fixtures/sdk-http.fixture.ts'
import { failure, openUpstream, type Upstream, useUpstreams } from './fixtures/upstream.fixture.ts'

const { closers, connect } = useUpstreams()
const clientCapabilities = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} }
const ada = { subject: 'ada', tenant: 't' }
const bob = { subject: 'bob', tenant: 't' }
const accept = (name: string) => ({ 'question-1': { action: 'accept', content: { name } } })
const mine = (more: Partial<RunContext> = {}): Partial<RunContext> => ({
  caller: ada,
  clientCapabilities,
  ...more,
})

async function openStdio(more: object = {}, options: Parameters<typeof openUpstream>[1] = {}) {
  const args = [join(import.meta.dirname, 'fixtures/asking-v1-stdio.fixture.ts')]
  const upstream = await openUpstream({ command: process.execPath, args, ...more }, options)
  closers.push(() => upstream.close())
  return upstream
}

async function openHttp() {
  const server = await startSdkV1(createAskingV1Server)
  closers.push(() => server.close())
  return connect(server.url)
}

async function ask(upstream: Upstream, tool = 'ask', input: object = { kind: 'form' }, more = {}) {
  const required = await upstream.call(tool, input, mine(more))
  expect(required).toBeInstanceOf(InputRequired)
  return required as InputRequired
}

function said(result: Answer): unknown {
  expect(result).not.toBeInstanceOf(InputRequired)
  const text = String((result as Result).content?.[0]?.['text'])
  return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text
}

const resuming = ({ resume = '' }: InputRequired, responses: object): InputAnswers => ({
  responses: responses as Record<string, unknown>,
  resume,
})

describe.each([
  ['stdio', () => openStdio()],
  ['HTTP', openHttp],
])('a call that asks over %s', (_name, open) => {
  it('is held until the answers come, and its questions keep every field', async () => {
    const upstream = await open()
    const required = await ask(upstream)
    expect(required.questions).toEqual({ 'question-1': asked.form })
    const answers = resuming(required, accept('Ada'))
    expect(said(await upstream.call('ask', { kind: 'form' }, mine({ answers })))).toEqual({
      action: 'accept',
      content: { name: 'Ada' },
    })
  })

  it('S6: is gone on with once, by its caller, for what was asked', async () => {
    const upstream = await open()
    const required = await ask(upstream)
    const answers = resuming(required, accept('Mallory'))
    const attempts = [
      ['ask', mine({ answers, caller: bob })],
      ['ask', mine({ answers, caller: { ...ada, tenant: 'other' } })],
      ['ask_apart', mine({ answers })],
      ['ask', mine({ answers: { responses: {}, resume: 'A'.repeat(24) } })],
    ] as const
    for (const [tool, context] of attempts)
      expect((await failure(upstream.call(tool, { kind: 'form' }, context))).code).toBe('RESUME_LOST')
    const own = mine({ answers: resuming(required, accept('Ada')) })
    expect(said(await upstream.call('ask', { kind: 'form' }, own))).toMatchObject({
      content: { name: 'Ada' },
    })
    expect((await failure(upstream.call('ask', { kind: 'form' }, own))).code).toBe('RESUME_LOST')
  })

  it('asks again for what was left unanswered', async () => {
    const upstream = await open()
    let first = await ask(upstream, 'ask_at_once', {})
    // On a busy machine they may come in several chunks; an answer that answers nothing asks for all that came since.
    while (Object.keys(first.questions).length < 4) {
      await wait(20)
      const context = mine({ answers: resuming(first, {}) })
      first = (await upstream.call('ask_at_once', {}, context)) as InputRequired
    }
    const [form, url, sampling, roots] = Object.keys(first.questions) as [string, string, string, string]
    const some = { [form]: { action: 'decline' }, [url]: { action: 'accept' }, [sampling]: 'no object' }
    const answers = resuming(first, some)
    const second = (await upstream.call('ask_at_once', {}, mine({ answers }))) as InputRequired
    expect(Object.keys(second.questions)).toEqual([sampling, roots])
    const sampled = { role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'm' }
    const rest = resuming(second, { [sampling]: sampled, [roots]: { roots: [] } })
    expect(said(await upstream.call('ask_at_once', {}, mine({ answers: rest })))).toEqual([
      { action: 'decline' },
      { action: 'accept' },
      sampled,
      { roots: [] },
    ])
  })

  it('R12: outlives the call that asked, and ends with the one that attached', async () => {
    const upstream = await open()
    const first = new Cancellation()
    const required = await ask(upstream, 'ask_and_tell', {}, { signal: first.signal, wantsProgress: true })
    first.cancel(new WeirError('DEADLINE_EXCEEDED', 'The first call is over.'))
    await wait(50)
    expect(said(await upstream.call('ended', {}, mine()))).toEqual([])

    const second = new Cancellation()
    const events: CallEvent[] = []
    const emit = (event: CallEvent) => {
      events.push(event)
      second.cancel(new WeirError('CANCELLED', 'The client left.'))
    }
    const answers = resuming(required, accept('Ada'))
    const context = mine({ answers, signal: second.signal, emit, wantsProgress: true })
    expect((await failure(upstream.call('ask_and_tell', {}, context))).code).toBe('CANCELLED')
    expect(events).toEqual([{ kind: 'progress', progress: 1 }])
    await vi.waitFor(async () =>
      expect(said(await upstream.call('ended', {}, mine()))).toEqual(['ask_and_tell cancelled']),
    )
  })

  it('is let go of when nobody will answer', async () => {
    const upstream = await open()
    const required = await ask(upstream)
    required.abandon?.()
    required.abandon?.()
    await vi.waitFor(async () =>
      expect(said(await upstream.call('ended', {}, mine()))).toEqual(['ask form unanswered']),
    )
  })

  it('does not wait for an answer to what its server asks no longer', async () => {
    const upstream = await open()
    const required = await ask(upstream, 'ask_briefly', {})
    await wait(300)
    const answers = resuming(required, accept('too late'))
    const result = (await upstream.call('ask_briefly', {}, mine({ answers }))) as Result
    expect(result.isError).toBe(true)
  })

  it('passes on that the client refused', async () => {
    const upstream = await open()
    const required = await ask(upstream, 'ask', { kind: 'sampling' })
    const refused = new InputRefused('sampling/createMessage', { code: -1, message: 'The user said no.' })
    const answers = resuming(required, { 'question-1': refused })
    const result = await upstream.call('ask', { kind: 'sampling' }, mine({ answers }))
    expect(said(result)).toContain('The user said no.')
  })

  it.each([
    ['form', {}, 'cannot be asked elicitation/create'],
    ['form', { elicitation: { url: {} } }, 'elicitation.form'],
    ['url', { elicitation: {} }, 'elicitation.url'],
    ['sampling', { sampling: {} }, 'sampling.tools'],
  ])('is told that its client cannot be asked: %s of %j', async (kind, capabilities, words) => {
    const upstream = await open()
    const context = mine({ clientCapabilities: capabilities })
    const result = await upstream.call('ask', { kind }, context)
    expect(said(result)).toContain(words)
  })

  it('gets no roots from a client that has none', async () => {
    const upstream = await open()
    const context = mine({ clientCapabilities: {} })
    expect(said(await upstream.call('ask', { kind: 'roots' }, context))).toEqual({ roots: [] })
  })
})

it('configured roots are told without asking anybody', async () => {
  const upstream = await openStdio({ roots: ['file:///srv/data'] })
  const result = await upstream.call('ask', { kind: 'roots' }, mine())
  expect(said(result)).toEqual({ roots: [{ uri: 'file:///srv/data' }] })
})

it('R4: a server that asks and exits fails the call that waits, and is not gone on with', async () => {
  const upstream = await openStdio()
  const required = await ask(upstream, 'ask_and_exit', {})
  const closed = new Promise<void>((resolve) => upstream.connection.onClose?.(() => resolve()))
  await closed
  const answers = resuming(required, accept('Ada'))
  const late = await failure(upstream.call('ask_and_exit', {}, mine({ answers })))
  expect(late.code).toBe('UPSTREAM_EXITED')
  const restarted = await openStdio()
  const lost = await failure(restarted.call('ask_and_exit', {}, mine({ answers })))
  expect(lost.code).toBe('RESUME_LOST')
})

it('S5: with two callers at one process no question reaches either, and then they take turns', async () => {
  const warnings: object[] = []
  const log = { ...silentLogger, warn: (fields: object) => warnings.push(fields) }
  const upstream = await openStdio({}, { log })
  const call = (caller: RunContext['caller'], more: Partial<RunContext> = {}, together = 1) =>
    upstream.call('ask_named', { who: caller.subject, together }, mine({ caller, ...more }))
  const both = await Promise.all([call(ada, {}, 2), call(bob, {}, 2)])
  for (const result of both) expect(said(result)).toContain('which of them it belongs')
  expect(warnings).toEqual([{ cure: 'isolation: caller' }])

  // From now on each is asked alone: whoever is second waits until the first has its result.
  const asAda = call(ada)
  const asBob = call(bob)
  for (const [caller, pending] of [
    [ada, asAda],
    [bob, asBob],
  ] as const) {
    const required = (await pending) as InputRequired
    expect(required.questions).toMatchObject({ 'question-1': { params: { message: caller.subject } } })
    const answers = resuming(required, accept(caller.subject))
    expect(said(await call(caller, { answers }))).toMatchObject({
      who: caller.subject,
      answer: { content: { name: caller.subject } },
    })
  }
  expect(warnings).toHaveLength(1)
})

it.each([
  ['over HTTP, all at once', openHttp, true],
  ['at one process, in turns', () => openStdio(), false],
])('S5: forty callers each get their own question and their own answer: %s', async (_name, open, here) => {
  const upstream = await open()
  // The first two show the server that shares one channel for what it is.
  if (!here) {
    const first = [ada, bob].map((caller) =>
      upstream.call('ask_named', { who: 'x', together: 2 }, mine({ caller })),
    )
    await Promise.all(first)
  }
  const run = async (caller: RunContext['caller']) => {
    const input = { who: `canary-${caller.subject}`, here }
    const required = (await upstream.call('ask_named', input, mine({ caller }))) as InputRequired
    const asked = JSON.stringify(required.questions).match(/canary-\w+/g)
    const answers = resuming(required, accept(`answer-${caller.subject}`))
    const result = await upstream.call('ask_named', input, mine({ caller, answers }))
    const own = [`canary-${caller.subject}`, `answer-${caller.subject}`]
    expect(asked).toEqual(own.slice(0, 1))
    expect(JSON.stringify(result).match(/(canary|answer)-\w+/g)).toEqual(own)
  }
  const callers = Array.from({ length: 40 }, (_, index) => ({ subject: `caller${index}`, tenant: 't' }))
  await Promise.all(callers.map(run))
})

it('S5: work that was cancelled and goes on asks no other caller', async () => {
  const upstream = await openStdio()
  const leaving = new Cancellation()
  const left = failure(
    upstream.call('ask_named', { who: 'ada', waitMs: 100 }, mine({ signal: leaving.signal })),
  )
  await wait(20)
  leaving.cancel(new WeirError('CANCELLED', 'Ada left.'))
  await left
  // The fixture's tool does not heed its signal: it asks while the call of another caller is the only one.
  const answer = await upstream.call('ask_named', { who: 'bob', waitMs: 300 }, mine({ caller: bob }))
  expect(said(answer)).toContain('not passed on')
})
