import { expect, it } from 'vitest'
import { Cancellation } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { InputRefused } from '../../../core/outcome.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { legacyRequest, startGateway } from '../gateway.fixture.ts'
import { createLibrary, twoShelves } from '../library.fixture.ts'
import { type ClientQuestions, createClientQuestions } from './client-questions.ts'

type Sent = { id?: string; method: string; params?: Record<string, unknown> }

/** A client that reads what it is sent; asked in a session. */
function createClient(questions: ClientQuestions, session: string, reads = true) {
  const sent: Sent[] = []
  const asked = {
    session,
    send(text: string) {
      if (reads) sent.push(JSON.parse(text))
      return reads
    },
  }
  const question = { method: 'elicitation/create', params: { message: 'Who?' } }
  const ask = (stop = new Cancellation()) => questions.ask(asked, question, stop)
  return { sent, ask }
}

const answer = (id: string | undefined, name: string) =>
  ({ kind: 'response', id: id ?? '', result: { action: 'accept', content: { name } } }) as const
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: WeirError) => error.code,
  )

it('a client is asked under an id of its own, and gives its answer or its refusal', async () => {
  const questions = createClientQuestions(createFakeClock())
  const { sent, ask } = createClient(questions, 's')
  const both = [ask(), ask()]
  const [one, two] = sent
  expect(one).toMatchObject({ method: 'elicitation/create', params: { message: 'Who?' } })
  expect(one?.id).not.toBe(two?.id)
  expect(one?.id?.length).toBeGreaterThanOrEqual(24)
  questions.take('s', { kind: 'response', id: two?.id, error: { code: -1, message: 'No.' } })
  questions.take('s', answer(one?.id, 'Ada'))
  expect(await Promise.all(both)).toEqual([
    { action: 'accept', content: { name: 'Ada' } },
    new InputRefused('elicitation/create', { code: -1, message: 'No.' }),
  ])
})

it('S5: answers of another session, to nothing, or a second time are passed over', async () => {
  const questions = createClientQuestions(createFakeClock())
  const { sent, ask } = createClient(questions, 'ada')
  const pending = ask()
  const id = sent[0]?.id
  questions.take('mallory', answer(id, 'Mallory'))
  questions.take('ada', answer('unknown', 'Mallory'))
  questions.take('ada', { kind: 'response', id: undefined, error: { code: 0, message: '' } })
  questions.take('ada', answer(id, 'Ada'))
  questions.take('ada', answer(id, 'Mallory'))
  expect(await pending).toMatchObject({ content: { name: 'Ada' } })
})

it('a client that never answers is waited for ten minutes, and told that it is over', async () => {
  const clock = createFakeClock()
  const questions = createClientQuestions(clock)
  const { sent, ask } = createClient(questions, 's')
  const code = codeOf(ask())
  await clock.advance(10 * 60_000 - 1)
  expect(sent).toHaveLength(1)
  await clock.advance(1)
  expect(await code).toBe('DEADLINE_EXCEEDED')
  expect(sent[1]).toMatchObject({
    method: 'notifications/cancelled',
    params: { requestId: sent[0]?.id },
  })
  expect(clock.pendingMs).toEqual([])
})

it('R12: a question ends at once with what it was asked for', async () => {
  const clock = createFakeClock()
  const questions = createClientQuestions(clock)
  const { sent, ask } = createClient(questions, 's')
  const stop = new Cancellation()
  const code = codeOf(ask(stop))
  stop.cancel(new WeirError('CANCELLED', 'The client left.'))
  expect(await code).toBe('CANCELLED')
  expect(clock.pendingMs).toEqual([])
  expect(await codeOf(ask(stop))).toBe('CANCELLED')
  expect(sent.map(({ method }) => method)).toEqual(['elicitation/create', 'notifications/cancelled'])
})

it('32 wait in one session and 1,000 in all; a slow reader is asked nothing', async () => {
  const questions = createClientQuestions(createFakeClock())
  const first = createClient(questions, 's0')
  for (let count = 0; count < 32; count += 1) void first.ask()
  expect(await codeOf(first.ask())).toBe('OVERLOADED')
  expect(await codeOf(createClient(questions, 'slow', false).ask())).toBe('OVERLOADED')
  for (let session = 1; session < 31; session += 1) {
    const client = createClient(questions, `s${session}`)
    for (let count = 0; count < 32; count += 1) void client.ask()
  }
  const last = createClient(questions, 'last')
  for (let count = 992; count < 1_000; count += 1) void last.ask()
  expect(await codeOf(last.ask())).toBe('OVERLOADED')
  expect(last.sent).toHaveLength(8)
  questions.take('s0', answer(first.sent[0]?.id, 'Ada'))
  void last.ask()
  expect(last.sent).toHaveLength(9)
})

it('questions that are open when Weir stops are given up at once, and none is asked after', async () => {
  const clock = createFakeClock()
  const questions = createClientQuestions(clock)
  const { sent, ask } = createClient(questions, 's')
  const pending = [ask(), ask()].map(codeOf)
  questions.close()
  expect(await Promise.all(pending)).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN'])
  expect(sent.slice(2).map(({ method }) => method)).toEqual(Array(2).fill('notifications/cancelled'))
  expect(await codeOf(ask())).toBe('SHUTTING_DOWN')
  expect([sent.length, clock.pendingMs]).toEqual([4, []])
})

it('a client that is asked while Weir stops hears so, and does not hold it up', async () => {
  const gateway = await startGateway(twoShelves, [createLibrary().connector])
  const headers = { 'mcp-session-id': await gateway.initialize('2025-11-25', { elicitation: {} }) }
  const stream = await gateway.open({ ...legacyRequest('resources/read', { uri: 'ask:a' }), headers })
  expect(await stream.next()).toMatchObject({ method: 'elicitation/create' })
  const stopped = gateway.weir.close(60_000)
  expect(await stream.next()).toMatchObject({ method: 'notifications/cancelled' })
  expect(await stream.next()).toMatchObject({ error: { data: { weirCode: 'SHUTTING_DOWN' } } })
  await stopped
})
