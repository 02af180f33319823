import { describe, expect, it } from 'vitest'
import { Cancellation } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { silentLogger } from '../../../core/logger.ts'
import { InputRequired } from '../../../core/outcome.ts'
import type { RunContext } from '../../../core/tool.ts'
import { createFakeClock, type FakeClock } from '../../../testing/fake-clock.ts'
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts'
import { createContext, failure } from '../fixtures/upstream.fixture.ts'
import type { Answered, Conversation } from './conversation.ts'
import { Conversations } from './conversations.ts'

/** A desk whose server is the test: it sees what is sent, and asks and ends as it likes. */
function open(clock: FakeClock = createFakeClock()) {
  const sent: { id?: unknown; error?: { message: string }; result?: unknown }[] = []
  const desk = new Conversations({
    send: (text) => sent.push(JSON.parse(text)),
    roots: undefined,
    log: silentLogger,
    clock,
  })
  const begun: Conversation[] = []
  const ends: ((result: Record<string, unknown>) => void)[] = []
  const start = (subject: string, more: Partial<RunContext> = {}) => {
    const caller = { subject, tenant: 't' }
    const context = createContext({ caller, clientCapabilities: { elicitation: {} }, ...more })
    return desk.run(
      'tools/call x',
      (conversation) => {
        begun.push(conversation)
        return new Promise((resolve, reject) => {
          ends.push(resolve)
          conversation.stop.addEventListener('abort', () => reject(conversation.stop.reason))
        })
      },
      context,
    )
  }
  const held = async (subject: string) => {
    const pending = start(subject)
    await turn()
    const at = begun.length - 1
    expect(desk.takeFrom(begun[at]!, question(at))).toBeUndefined()
    return (await pending) as InputRequired
  }
  return { desk, sent, begun, ends, start, held, clock }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const question = (id: number, message = 'Who?'): JsonRpcRequest => ({
  kind: 'request',
  id,
  method: 'elicitation/create',
  params: { message },
})
const resume = ({ resume: token = '' }: InputRequired): Pick<RunContext, 'answers'> => ({
  answers: { responses: {}, resume: token },
})

describe('calls that wait for answers', () => {
  it('end after ten minutes, and the server is told so', async () => {
    const { start, held, sent, begun, clock } = open()
    const required = await held('ada')
    await clock.advance(10 * 60_000 - 1)
    expect(begun[0]?.stop.aborted).toBe(false)
    await clock.advance(1)
    expect(begun[0]?.stop.aborted).toBe(true)
    expect(sent).toEqual([{ jsonrpc: '2.0', id: 0, error: { code: -32000, message: expect.any(String) } }])
    expect((await failure(start('ada', resume(required)))).code).toBe('RESUME_LOST')
  })

  it('end after a minute while another caller waits for its turn', async () => {
    const { desk, start, held, begun, clock } = open()
    await held('ada')
    void start('bob').catch(() => {})
    await turn()
    expect(desk.take(question(7))).toBeTypeOf('string')
    begun[1]?.cancel(new WeirError('CANCELLED', 'left'))
    await turn()
    // Taking turns has begun: Bob waits for Ada, who is being asked.
    void start('bob')
    await clock.advance(59_999)
    expect([begun.length, begun[0]?.stop.aborted]).toEqual([2, false])
    await clock.advance(1)
    expect([begun.length, begun[0]?.stop.aborted]).toEqual([3, true])
  })

  it('are fifty at most: whoever holds most loses its oldest, and nobody else', async () => {
    const { start, held, begun } = open()
    const bobs = await held('bob')
    const first = await held('ada')
    const second = await held('ada')
    for (let count = 3; count < 50; count += 1) await held('ada')
    expect(begun.every(({ stop }) => !stop.aborted)).toBe(true)
    await held('carol')
    expect(begun.map(({ stop }) => stop.aborted).indexOf(true)).toBe(1)
    expect((await failure(start('ada', resume(first)))).code).toBe('RESUME_LOST')
    const again = [start('bob', resume(bobs)), start('ada', resume(second))]
    expect(await Promise.all(again)).toEqual([expect.any(InputRequired), expect.any(InputRequired)])
  })

  it('get the result that came meanwhile, unless it is too large to be kept', async () => {
    const { start, held, ends } = open()
    const small = await held('ada')
    ends[0]?.({ content: [] })
    expect(await start('ada', resume(small))).toEqual({ content: [] })
    const large = await held('ada')
    ends[1]?.({ content: [{ type: 'text', text: 'x'.repeat(1024 * 1024) }] })
    await turn()
    expect((await failure(start('ada', resume(large)))).code).toBe('RESPONSE_TOO_LARGE')
  })

  it('end with the connection', async () => {
    const { desk, held, begun } = open()
    await held('ada')
    desk.close(new WeirError('CONNECTION_UNAVAILABLE', 'closed'))
    expect(begun[0]?.stop.reason?.code).toBe('CONNECTION_UNAVAILABLE')
  })
})

describe('questions', () => {
  it('of one call are sixteen at most', async () => {
    const { desk, start, begun } = open()
    const pending = start('ada')
    await turn()
    const answers = Array.from({ length: 17 }, (_, id) => desk.takeFrom(begun[0]!, question(id)))
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(16)
    expect(JSON.parse(answers[16]!)).toMatchObject({ id: 16, error: { code: -32000 } })
    expect(Object.keys(((await pending) as InputRequired).questions)).toHaveLength(16)
  })

  it('of one connection hold 32 Mi characters at most, and give them back', async () => {
    const { desk, start, begun, ends } = open()
    const long = 'x'.repeat(12 * 1024 * 1024)
    const pending: Promise<Answered>[] = []
    for (let count = 0; count < 3; count += 1) {
      pending.push(start('ada'))
      await turn()
      const answer = desk.takeFrom(begun[count]!, question(count, long))
      expect(answer === undefined).toBe(count < 2)
    }
    ends[0]?.({})
    await Promise.allSettled([pending[0]])
    expect(desk.takeFrom(begun[2]!, question(9, long))).toBeUndefined()
  })

  it('of no call are refused, but for roots', () => {
    const { desk } = open()
    expect(JSON.parse(desk.take(question(1))!)).toMatchObject({ error: { code: -32000 } })
    const roots: JsonRpcRequest = { kind: 'request', id: 2, method: 'roots/list', params: {} }
    expect(JSON.parse(desk.take(roots)!)).toMatchObject({ id: 2, result: { roots: [] } })
    const odd: JsonRpcRequest = { kind: 'request', id: 3, method: 'tasks/get', params: {} }
    expect(JSON.parse(desk.take(odd)!)).toMatchObject({ error: { code: -32601 } })
  })

  it('of a shared channel reach the only call under way, beside others of its caller that are held', async () => {
    const { desk, start, held } = open()
    await held('ada')
    const pending = start('ada')
    await turn()
    expect(desk.take(question(7, 'mine'))).toBeUndefined()
    expect(await pending).toMatchObject({ questions: { 'question-1': { params: { message: 'mine' } } } })
  })

  it('S5: of a shared channel reach nobody while another caller is being asked', async () => {
    const { desk, start, held } = open()
    await held('ada')
    void start('bob')
    await turn()
    expect(JSON.parse(desk.take(question(7))!)).toMatchObject({ error: { code: -32000 } })
  })

  it('S5: reach another caller a minute after work was cancelled, and not before', async () => {
    const { desk, start, clock } = open()
    const leaving = new Cancellation()
    const left = start('ada', { stop: leaving }).catch(() => {})
    await turn()
    leaving.cancel(new WeirError('CANCELLED', 'left'))
    await left
    const pending = start('bob')
    await turn()
    await clock.advance(59_999)
    expect(desk.take(question(1))).toBeTypeOf('string')
    await clock.advance(1)
    expect(desk.take(question(2))).toBeUndefined()
    expect(await pending).toBeInstanceOf(InputRequired)
  })
})
