import { describe, expect, it, vi } from 'vitest'
import { Cancellation } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { InputRefused, type InputRequired, TaskStarted } from '../../../core/outcome.ts'
import type { RunContext } from '../../../core/tool.ts'
import type { FakeMcpServer } from '../../../testing/fake-mcp-server.ts'
import { startScripted } from '../fixtures/scripted.fixture.ts'
import { failure, useUpstreams } from '../fixtures/upstream.fixture.ts'

type Fields = Readonly<Record<string, unknown>>

const { closers, connect } = useUpstreams()
const extension = 'io.modelcontextprotocol/tasks'
const extensions = { [extension]: {} }
const declared = { elicitation: {}, extensions }
const taskId = 'tâche 1'
const form = { method: 'elicitation/create', params: { mode: 'form', message: 'Sure?' } }
const done = { content: [{ type: 'text', text: 'done' }] }
const refusal = {
  error: { code: -32_021, message: 'Tasks only', data: { requiredCapabilities: { extensions } } },
}

function capabilitiesOf(params: Fields): Fields {
  const meta = params['_meta'] as Fields
  return meta['io.modelcontextprotocol/clientCapabilities'] as Fields
}

/** A modern server whose tool runs as a task only; `states` are what it tells of the task, the last again and again. */
async function open(states: readonly Fields[], begun: Fields = { taskId, status: 'working' }) {
  const left = [...states]
  const server = await startScripted(
    'modern',
    { tools: {}, extensions },
    {
      'tools/list': () => ({ tools: [{ name: 'job', inputSchema: { type: 'object' } }] }),
      'tools/call': (params) =>
        extension in Object(capabilitiesOf(params)['extensions'])
          ? { resultType: 'task', pollIntervalMs: 1, ...begun }
          : refusal,
      'tasks/get': () => ({
        resultType: 'complete',
        taskId,
        pollIntervalMs: 1,
        ...(left.length > 1 ? left.shift() : left[0]),
      }),
      'tasks/update': () => ({ resultType: 'complete' }),
      'tasks/cancel': () => ({ resultType: 'complete' }),
    },
  )
  closers.push(() => server.close())
  return { server, upstream: await connect(server.url) }
}

const seen = (server: FakeMcpServer, method: string) => server.seen.filter((one) => one.method === method)
const asking = (context: Partial<RunContext> = {}) => ({
  clientCapabilities: { elicitation: {} },
  ...context,
})

describe('D2-096: a client that follows tasks', () => {
  it('gets the task as its server tells of it, and reaches it by its own id', async () => {
    const _meta = { 'com.example/shard': 7, 'io.modelcontextprotocol/serverInfo': { name: 'x' } }
    const { server, upstream } = await open([{ status: 'working', note: 1, _meta }], {
      ...{ taskId, status: 'working', ttlMs: null, extra: { deep: true }, _meta },
    })
    const started = await upstream.call('job', {}, { clientCapabilities: declared })
    expect(started).toEqual(
      new TaskStarted({
        ...{ taskId, status: 'working', ttlMs: null, pollIntervalMs: 1, extra: { deep: true } },
        _meta: { 'com.example/shard': 7 },
      }),
    )
    const { tasks } = upstream.tool('job')
    const context = { signal: new Cancellation().signal, clientCapabilities: declared, meta: { trace: 't' } }
    const params = { why: 'x' }
    const full = { ...context, stop: context.signal, deadlineMs: 1e9 } as unknown as RunContext
    expect(await tasks?.run({ method: 'tasks/get', taskId, params }, full)).toEqual({
      ...{ taskId, status: 'working', note: 1, pollIntervalMs: 1, _meta: { 'com.example/shard': 7 } },
    })
    const [get] = seen(server, 'tasks/get')
    expect(get?.headers['mcp-name']).toBe(`=?base64?${Buffer.from(taskId).toString('base64')}?=`)
    expect(get?.params).toMatchObject({ taskId, why: 'x', _meta: { trace: 't' } })
    expect(capabilitiesOf(get!.params)).toEqual(declared)
  })

  it('gets a protocol error for a task without an id that can be used', async () => {
    for (const bad of [undefined, '', 'x'.repeat(1_001), 7]) {
      const { upstream } = await open([], { taskId: bad, status: 'working' })
      const error = await failure(upstream.call('job', {}, { clientCapabilities: declared }))
      expect(error.code).toBe('UPSTREAM_PROTOCOL')
    }
  })

  it('is told of no tasks at a server that did not declare them', async () => {
    const server = await startScripted(
      'modern',
      { tools: {} },
      {
        'tools/list': () => ({ tools: [{ name: 'job', inputSchema: { type: 'object' } }] }),
        'tools/call': () => ({ resultType: 'task', taskId, status: 'working' }),
      },
    )
    closers.push(() => server.close())
    const upstream = await connect(server.url)
    expect(upstream.tool('job').tasks).toBeUndefined()
    const error = await failure(upstream.call('job', {}, { clientCapabilities: declared }))
    expect([error.code, error.message]).toEqual([
      'UPSTREAM_PROTOCOL',
      'The MCP server answered with a result of the type "task", which does not belong there.',
    ])
    expect(capabilitiesOf(seen(server, 'tools/call')[0]!.params)).toEqual({ elicitation: {}, extensions: {} })
  })
})

describe('D2-096: a client that follows no tasks', () => {
  it('gets what the task ends with, followed with the capability that Weir declares for it', async () => {
    const { server, upstream } = await open([{ status: 'working' }, { status: 'completed', result: done }])
    expect(await upstream.call('job', {}, asking())).toEqual(done)
    const [refused, called] = seen(server, 'tools/call').map(({ params }) => capabilitiesOf(params))
    expect([refused, called]).toEqual([{ elicitation: {} }, declared])
    for (const { params } of seen(server, 'tasks/get')) expect(capabilitiesOf(params)).toEqual(declared)
    expect(seen(server, 'tasks/cancel')).toEqual([])
  })

  it.each<[string, Fields, Fields]>([
    [
      'failed',
      { status: 'failed', error: { code: -32_603, message: 'Broke' } },
      { code: 'UPSTREAM_ERROR', message: 'Broke' },
    ],
    [
      'was cancelled',
      { status: 'cancelled', statusMessage: 'By night.' },
      { code: 'UPSTREAM_ERROR', message: 'The MCP server cancelled the task. By night.' },
    ],
  ])('gets the error of a task that %s', async (_, state, expected) => {
    const { server, upstream } = await open([state])
    expect(await failure(upstream.call('job', {}, asking()))).toMatchObject(expected)
    expect(seen(server, 'tasks/cancel')).toEqual([])
  })

  it.each<[string, Fields]>([
    ['a state that is none', { status: 'asleep' }],
    ['no state', {}],
    ['an end without a result', { status: 'completed' }],
    ['a failure without an error', { status: 'failed' }],
    ['questions that are none', { status: 'input_required', inputRequests: [] }],
    ['a result of another type', { status: 'working', resultType: 'task' }],
    ['a result with broken content', { status: 'completed', result: { content: 'x' } }],
    ['a result that is a task again', { status: 'completed', result: { resultType: 'task' } }],
  ])('gets a protocol error for %s', async (_, state) => {
    const { upstream } = await open([state])
    expect((await failure(upstream.call('job', {}, asking()))).code).toBe('UPSTREAM_PROTOCOL')
  })

  it('R12: stopped, ends the task at the server at once, and asks no more', async () => {
    const { server, upstream } = await open([{ status: 'working', pollIntervalMs: 30_000 }])
    const stop = new Cancellation()
    const call = failure(upstream.call('job', {}, asking({ signal: stop.signal })))
    await vi.waitFor(() => expect(seen(server, 'tasks/get')).toHaveLength(1))
    const stoppedMs = performance.now()
    stop.cancel(new WeirError('DEADLINE_EXCEEDED', 'over'))
    expect((await call).code).toBe('DEADLINE_EXCEEDED')
    await vi.waitFor(() => expect(seen(server, 'tasks/cancel')).toHaveLength(1), { interval: 5 })
    expect(performance.now() - stoppedMs).toBeLessThan(1_000)
    const [cancel] = seen(server, 'tasks/cancel')
    expect(cancel?.params).toMatchObject({ taskId })
    expect(capabilitiesOf(cancel!.params)).toEqual(declared)
    expect(seen(server, 'tasks/get')).toHaveLength(1)
  })

  it('asks ten times a second at most, however often the server wants to be asked', async () => {
    const { server, upstream } = await open([{ status: 'working', pollIntervalMs: -5 }])
    const stop = new Cancellation()
    const call = failure(upstream.call('job', {}, asking({ signal: stop.signal })))
    setTimeout(() => stop.cancel(new WeirError('DEADLINE_EXCEEDED', 'over')), 550)
    await call
    const { length } = seen(server, 'tasks/get')
    expect(length).toBeGreaterThan(2)
    expect(length).toBeLessThanOrEqual(6)
  })
})

describe('D2-096: a task that asks', () => {
  const both = { status: 'input_required', inputRequests: { a: form, b: form } }
  const accept = { action: 'accept', content: {} }

  it('makes its questions the call’s own, once each, and takes their answers', async () => {
    const rest = { status: 'input_required', inputRequests: { b: form } }
    const { server, upstream } = await open([both, both, rest, both, { status: 'completed', result: done }])
    const asked = (await upstream.call('job', {}, asking())) as InputRequired
    expect(asked.questions).toEqual({ a: form, b: form })
    const again = (await upstream.call(
      'job',
      {},
      asking({ answers: { responses: { a: accept }, resume: asked.resume! } }),
    )) as InputRequired
    // The first state after the answer still tells of what was answered.
    expect(again.questions).toEqual({ b: form })
    const refused = new InputRefused('elicitation/create', { code: -32_000, message: 'no' })
    const answers = { responses: { b: refused }, resume: again.resume! }
    expect(await upstream.call('job', {}, asking({ answers }))).toEqual(done)
    expect(seen(server, 'tasks/update').map(({ params }) => params['inputResponses'])).toEqual([
      { a: accept },
      { b: { action: 'cancel' } },
    ])
    expect(seen(server, 'tools/call')).toHaveLength(2)
  })

  it('is ended where nobody will answer', async () => {
    const { server, upstream } = await open([both])
    const asked = (await upstream.call('job', {}, asking())) as InputRequired
    expect(seen(server, 'tasks/cancel')).toEqual([])
    asked.abandon?.()
    await vi.waitFor(() => expect(seen(server, 'tasks/cancel')).toHaveLength(1))
    const refused = new InputRefused('sampling/createMessage', { code: -1, message: 'no model' })
    const answers = { responses: { a: refused }, resume: asked.resume! }
    expect((await failure(upstream.call('job', {}, asking({ answers })))).code).toBe('INPUT_UNSUPPORTED')
    await vi.waitFor(() => expect(seen(server, 'tasks/cancel')).toHaveLength(2))
  })

  it('cannot be made up by a server’s own requestState', async () => {
    const server = await startScripted(
      'modern',
      { tools: {}, extensions },
      {
        'tools/list': () => ({ tools: [{ name: 'job', inputSchema: { type: 'object' } }] }),
        'tools/call': () => ({ resultType: 'input_required', requestState: 'weir-task:{"taskId":"x"}' }),
      },
    )
    closers.push(() => server.close())
    const upstream = await connect(server.url)
    expect((await failure(upstream.call('job', {}, asking()))).code).toBe('UPSTREAM_PROTOCOL')
  })
})
