import { describe, expect, it } from 'vitest'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { InputRequired, type Outcome, type Result } from '../../core/outcome.ts'
import { createCached, runOf } from '../cache/cache.fixture.ts'
import { createEntry, policy } from '../call.fixture.ts'
import { createCacheStage } from './cache.ts'

const by = (subject: string, tenant = 'default') => ({ caller: { subject, tenant } })
const complete = (result: Result): Outcome => ({ kind: 'complete', result })

/** Answers that wait to be let out, in the order they were asked for. */
function hold() {
  const waiting: { answer(result: Result): void; fail(error: unknown): void }[] = []
  const behave = () =>
    new Promise<Outcome>((resolve, reject) => {
      waiting.push({ answer: (result) => resolve(complete(result)), fail: reject })
    })
  return { waiting, behave }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a cached tool', () => {
  it('costs nothing where the policy is off', () => {
    const next = async () => complete({})
    expect(createCacheStage(createCached().cache).wrap(createEntry(), policy, next)).toBe(next)
  })

  it('D2-031: answers the same call again from memory, and says so', async () => {
    const cached = createCached()
    const call = cached.tool()
    expect(runOf(await call())).toBe(1)
    await cached.clock.advance(1_500)
    const again = await call()
    expect(again).toEqual(
      complete({ structuredContent: { run: 1 }, _meta: { 'weir/cache': { hit: true, ageMs: 1_500 } } }),
    )
    expect(cached.ran).toHaveLength(1)
  })

  it('B-64: runs again when the time of the answer is over, by the monotonic clock, and after 300 s at most', async () => {
    const cached = createCached()
    const [short, long] = [cached.tool(), cached.tool({ name: 'long' }, { cache: { ttlMs: 3_600_000 } })]
    await short()
    await long()
    cached.clock.setNow(cached.clock.now() + 86_400_000)
    await cached.clock.advance(59_999)
    expect(runOf(await short())).toBe(1)
    await cached.clock.advance(1)
    expect(runOf(await short())).toBe(3)
    await cached.clock.advance(239_999)
    expect(runOf(await long())).toBe(2)
    await cached.clock.advance(1)
    expect(runOf(await long())).toBe(5 - 1)
  })

  it('tells arguments apart by their value, and not by the order of their names', async () => {
    const call = createCached().tool()
    expect(runOf(await call({ input: { a: 1, b: 2 } }))).toBe(1)
    expect(runOf(await call({ input: { b: 2, a: 1 } }))).toBe(1)
    expect(runOf(await call({ input: { a: '1', b: 2 } }))).toBe(2)
    expect(runOf(await call({ input: { a: { b: 2 } } }))).toBe(3)
  })

  it('has other answers for another definition of the same tool', async () => {
    const cached = createCached()
    await cached.tool()()
    expect(runOf(await cached.tool()())).toBe(1)
    expect(runOf(await cached.tool({ description: 'Another one.' })())).toBe(2)
  })

  it.each([{}, [], 0, '', false, null])('B-67: takes %j for an answer', async (value) => {
    const cached = createCached()
    cached.behave = () => ({ structuredContent: value })
    const call = cached.tool()
    await call()
    expect(await call()).toMatchObject({ result: { structuredContent: value } })
    expect(cached.ran).toHaveLength(1)
  })

  it('keeps what it was given, whatever becomes of the object', async () => {
    const cached = createCached()
    const rows = [1, 2]
    cached.behave = () => ({ structuredContent: { rows } })
    const call = cached.tool()
    await call()
    rows.push(3)
    expect(await call()).toMatchObject({ result: { structuredContent: { rows: [1, 2] } } })
  })
})

describe('S5: cached answers', () => {
  it('of a thousand interleaved callers never meet', async () => {
    const cached = createCached()
    cached.behave = async ({ caller }) => {
      await turn()
      return complete({ structuredContent: { canary: `${caller.tenant}/${caller.subject}` } })
    }
    const call = cached.tool()
    const callers = Array.from({ length: 1_000 }, (_, at) =>
      by(`user-${at % 500}`, `tenant-${at % 2}${at >= 500 ? '-b' : ''}`),
    )
    const round = () =>
      Promise.all(
        [...callers, ...callers].map((each) => call(each).then((outcome) => [each, outcome] as const)),
      )
    for (const [{ caller }, outcome] of [...(await round()), ...(await round())]) {
      expect(outcome).toMatchObject({
        result: { structuredContent: { canary: `${caller.tenant}/${caller.subject}` } },
      })
    }
    // Some came from the cache, or this shows nothing.
    expect(cached.cache.stats().l1_hits).toBeGreaterThan(1_000)
  })

  it('of callers whose names run into each other never meet', async () => {
    const call = createCached().tool()
    const names = [by('b', 'a,"'), by('",b', 'a'), by('c","b', 'a'), by('b', 'a","c')]
    for (const [at, name] of names.entries()) expect(runOf(await call(name))).toBe(at + 1)
  })

  it('are shared where the policy says public: within the tenant, and not what an upstream calls private', async () => {
    const cached = createCached()
    const call = cached.tool({}, { cache: { ttlMs: 60_000, isPublic: true } })
    expect(runOf(await call(by('ada')))).toBe(1)
    expect(runOf(await call(by('bob')))).toBe(1)
    expect(runOf(await call(by('bob', 'elsewhere')))).toBe(2)
    cached.behave = ({ caller }) => ({ cacheScope: 'private', structuredContent: { run: caller.subject } })
    expect(runOf(await call({ ...by('ada'), input: { of: 'me' } }))).toBe('ada')
    expect(runOf(await call({ ...by('bob'), input: { of: 'me' } }))).toBe('bob')
  })
})

describe('what is not kept', () => {
  it.each<[string, Result]>([
    ['an error of the tool', { isError: true, content: [] }],
    ['a degraded answer', { structuredContent: { degraded: true } }],
    ['a page with a cursor', { structuredContent: { rows: [], next_cursor: 'c' } }],
    ['a page with a cursor of MCP', { structuredContent: { nextCursor: 'c' } }],
    ['an answer of a megabyte', { structuredContent: { text: 'x'.repeat(1_000_000) } }],
    ['what is no JSON', { structuredContent: { n: 1n } }],
  ])('%s', async (_, result) => {
    const cached = createCached()
    cached.behave = () => result
    const call = cached.tool()
    await call()
    await call()
    expect(cached.ran).toHaveLength(2)
  })

  it.each([
    ['a write', { effect: 'write' }],
    ['an idempotent write', { effect: 'idempotent-write' }],
    ['a tool whose argument is used up, such as a cursor', { isOneUse: true }],
    ['a tool that stands for another', { delegate: () => ({}) as never }],
    ['what is done to a task', { kind: 'task-control' as never }],
  ] as const)('%s', async (_, more) => {
    const cached = createCached()
    const call = cached.tool(more)
    await call()
    await call()
    expect(cached.ran).toHaveLength(2)
  })

  it('a last page is, and so is one that has no cursor', async () => {
    const cached = createCached()
    cached.behave = () => ({ structuredContent: { rows: [], next_cursor: null } })
    const call = cached.tool()
    await call()
    await call()
    expect(cached.ran).toHaveLength(1)
  })

  it('a question, nor the call that replies to one', async () => {
    const cached = createCached()
    cached.behave = async () => ({ kind: 'input-required', required: new InputRequired({}) })
    const call = cached.tool()
    expect(await Promise.all([call(), call()])).toMatchObject([
      { kind: 'input-required' },
      { kind: 'input-required' },
    ])
    expect(cached.ran).toHaveLength(2)
    cached.behave = () => ({})
    await call()
    await call({ answers: { responses: {} } })
    expect(cached.ran).toHaveLength(4)
  })

  it('an error, but for “not found” where the policy says so, and that for its own time', async () => {
    const cached = createCached()
    cached.behave = async ({ input }) => {
      throw new WeirError((input as { code: never }).code, 'No.', { hint: 'Look.', data: { id: 7 } })
    }
    const call = cached.tool({}, { cache: { ttlMs: 60_000, negativeTtlMs: 1_000 } })
    const plain = cached.tool({ name: 'plain' })
    const missing = { input: { code: 'ROW_NOT_FOUND' } }
    for (let i = 0; i < 2; i += 1) {
      await expect(call(missing)).rejects.toMatchObject({
        code: 'ROW_NOT_FOUND',
        message: 'No.',
        hint: 'Look.',
        data: { id: 7 },
      })
      await expect(call({ input: { code: 'SQL_ERROR' } })).rejects.toThrow()
      await expect(plain(missing)).rejects.toThrow()
    }
    expect(cached.ran).toHaveLength(5)
    await cached.clock.advance(1_000)
    await expect(call(missing)).rejects.toThrow()
    expect(cached.ran).toHaveLength(6)
  })
})

describe('B-69: calls that come while the same one runs', () => {
  it('wait for it and get its answer, or its error', async () => {
    const cached = createCached()
    const { waiting, behave } = hold()
    cached.behave = behave
    const call = cached.tool()
    const calls = [call(), call(), call()]
    await turn()
    expect(waiting).toHaveLength(1)
    waiting[0]!.answer({ structuredContent: { run: 'one' } })
    expect((await Promise.all(calls)).map(runOf)).toEqual(['one', 'one', 'one'])
    const failing = [call({ input: { b: 1 } }), call({ input: { b: 1 } })].map((each) =>
      each.catch((error) => error.message),
    )
    await turn()
    waiting[1]!.fail(new Error('broken'))
    expect(await Promise.all(failing)).toEqual(['broken', 'broken'])
    expect(cached.ran).toHaveLength(2)
  })

  it('do not fail with its caller: the next of them runs, even where the tool never ends', async () => {
    const cached = createCached()
    const { waiting, behave } = hold()
    cached.behave = behave
    const call = cached.tool()
    const cancellation = new Cancellation()
    const leader = call({ cancellation }).catch(() => 'left')
    const others = [call(), call()]
    await turn()
    cancellation.cancel(new WeirError('CANCELLED', 'The client left.'))
    await turn()
    expect(waiting).toHaveLength(2)
    waiting[1]!.answer({ structuredContent: { run: 'two' } })
    expect((await Promise.all(others)).map(runOf)).toEqual(['two', 'two'])
    waiting[0]!.fail(new Error('late'))
    expect(await leader).toBe('left')
  })

  it.each<[string, Result, boolean]>([
    ['a page with a cursor, which is good for one use', { structuredContent: { next_cursor: 'c' } }, false],
    ['S5: what an upstream calls private, where callers share', { cacheScope: 'private' }, true],
  ])('run each for itself where the answer is %s', async (_, result, isPublic) => {
    const cached = createCached()
    const { waiting, behave } = hold()
    cached.behave = behave
    const call = cached.tool({}, { cache: { ttlMs: 60_000, isPublic } })
    const calls = [call(by('ada')), call(by(isPublic ? 'bob' : 'ada'))]
    await turn()
    waiting[0]!.answer(result)
    await turn()
    expect(waiting).toHaveLength(2)
    waiting[1]!.answer({ structuredContent: { run: 'own' } })
    expect((await Promise.all(calls)).map(runOf)).toEqual([undefined, 'own'])
  })

  it('S5: see no error of another caller’s run where callers share', async () => {
    const cached = createCached()
    const { waiting, behave } = hold()
    cached.behave = behave
    const call = cached.tool({}, { cache: { ttlMs: 60_000, isPublic: true } })
    const first = call(by('ada')).catch((error) => error.message)
    const second = call(by('bob'))
    await turn()
    waiting[0]!.fail(new Error('ada’s own'))
    expect(await first).toBe('ada’s own')
    await turn()
    waiting[1]!.answer({ structuredContent: { run: 'own' } })
    expect(runOf(await second)).toBe('own')
  })

  it('can leave while they wait', async () => {
    const cached = createCached()
    const { waiting, behave } = hold()
    cached.behave = behave
    const call = cached.tool()
    const cancellation = new Cancellation()
    const leader = call()
    const follower = call({ cancellation })
    await turn()
    const left = new WeirError('CANCELLED', 'The client left.')
    cancellation.cancel(left)
    await expect(follower).rejects.toBe(left)
    waiting[0]!.answer({ structuredContent: { run: 'one' } })
    expect(runOf(await leader)).toBe('one')
  })
})

describe('D2-040: a write that makes answers wrong', () => {
  const writes = { effect: 'write', name: 'set' } as const

  it('has them forgotten, by id or pattern, and no others', async () => {
    const cached = createCached()
    const [get, list, other] = [
      cached.tool({ name: 'get_x' }),
      cached.tool({ name: 'list_x' }),
      cached.tool({ name: 'x_get' }),
    ]
    const set = cached.tool(writes, { invalidates: ['box:get_*', 'box:list_x'] })
    for (const call of [get, list, other]) await call()
    await set()
    expect([runOf(await get()), runOf(await list()), runOf(await other())]).toEqual([5, 6, 3])
  })

  it('does so where it fails, too: it may have had its effect', async () => {
    const cached = createCached()
    const get = cached.tool({ name: 'get_x' })
    const set = cached.tool(writes, { invalidates: ['box:get_*'] })
    await get()
    const { behave } = cached
    cached.behave = () => Promise.reject(new Error('timeout'))
    await expect(set()).rejects.toThrow('timeout')
    cached.behave = behave
    expect(runOf(await get())).toBe(3)
  })

  it('B-70: keeps no answer of a read that began before it, and nobody who comes after it gets that', async () => {
    const cached = createCached()
    const { waiting, behave } = hold()
    const [get, set] = [cached.tool({ name: 'get_x' }), cached.tool(writes, { invalidates: ['box:get_*'] })]
    cached.behave = behave
    const before = get()
    await turn()
    cached.behave = () => ({})
    await set()
    cached.behave = behave
    const after = get()
    await turn()
    expect(waiting).toHaveLength(2)
    waiting[1]!.answer({ structuredContent: { run: 'new' } })
    expect(runOf(await after)).toBe('new')
    waiting[0]!.answer({ structuredContent: { run: 'old' } })
    expect(runOf(await before)).toBe('old')
    expect(runOf(await get())).toBe('new')
  })
})
