import { expect, it, vi } from 'vitest'
import { Cancellation } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { type Answers, startScripted } from '../fixtures/scripted.fixture.ts'
import { callsOf, failure, useUpstreams } from '../fixtures/upstream.fixture.ts'

const { closers, connect } = useUpstreams()
const done = { content: [{ type: 'text', text: 'done' }] }
const tasks = { cancel: {}, requests: { tools: { call: {} } } }
const related = { 'io.modelcontextprotocol/related-task': { taskId: 't' } }

/** A legacy server with a tool that says how it takes to tasks. */
async function open(capabilities: object, taskSupport: string, answers: Answers = {}) {
  const execution = { taskSupport, other: 1 }
  const server = await startScripted(
    'legacy',
    { tools: {}, ...capabilities },
    {
      'tools/list': () => ({ tools: [{ name: 'job', inputSchema: { type: 'object' }, execution }] }),
      'tools/call': ({ task }) => (task === undefined ? done : { task: { taskId: 't', status: 'working' } }),
      'tasks/result': () => ({ ...done, _meta: related }),
      'tasks/cancel': () => ({}),
      'notifications/initialized': () => undefined,
      ...answers,
    },
  )
  closers.push(() => server.close())
  const upstream = await connect(server.url, { era: 'legacy' })
  const seen = (method: string) => server.seen.filter((one) => one.method === method)
  return { server, upstream, seen }
}

it('D2-096: a tool of a legacy server that runs as a task only is called so, and answers as if it were none', async () => {
  const { server, upstream, seen } = await open({ tasks }, 'required')
  expect(await upstream.call('job')).toEqual(done)
  const { ttl } = callsOf(server)[0]!.params['task'] as { ttl: number }
  expect(ttl).toBeGreaterThan(60 * 60_000)
  expect(seen('tasks/result')[0]?.params).toMatchObject({ taskId: 't' })
  expect(seen('tasks/cancel')).toEqual([])
  // The task ends here, so nobody else may think that the tool needs one.
  expect(upstream.tool('job').definition).toMatchObject({ execution: { other: 1 } })
  expect(upstream.tool('job').definition?.['execution']).not.toHaveProperty('taskSupport')
})

it.each<[string, object, string]>([
  ['may run as a task', { tasks }, 'optional'],
  ['never does', { tasks }, 'forbidden'],
  ['says it must, at a server without tasks', {}, 'required'],
])('a tool that %s is called as any other', async (_, capabilities, taskSupport) => {
  const { server, upstream } = await open(capabilities, taskSupport)
  expect(await upstream.call('job')).toEqual(done)
  expect(callsOf(server)[0]?.params).not.toHaveProperty('task')
})

it('a server that answers at once is taken at its word, and one whose task has no id is not', async () => {
  const { upstream } = await open({ tasks }, 'required', { 'tools/call': () => done })
  expect(await upstream.call('job')).toEqual(done)
  const broken = await open({ tasks }, 'required', { 'tools/call': () => ({ task: {} }) })
  expect((await failure(broken.upstream.call('job'))).code).toBe('UPSTREAM_PROTOCOL')
})

it('what a task fails with is what the call fails with', async () => {
  const { upstream, seen } = await open({ tasks }, 'required', {
    'tasks/result': () => ({ error: { code: -32_603, message: 'Broke' } }),
  })
  expect(await failure(upstream.call('job'))).toMatchObject({ code: 'UPSTREAM_ERROR', message: 'Broke' })
  expect(seen('tasks/cancel')).toEqual([])
})

it.each([
  ['ends its task at the server at once', tasks, 1],
  ['leaves its task to a server that cannot end it', { requests: tasks.requests }, 0],
])('R12: a call that is stopped %s', async (_, capability, count) => {
  const { upstream, seen } = await open({ tasks: capability }, 'required', {
    'tasks/result': () => undefined,
  })
  const stop = new Cancellation()
  const call = failure(upstream.call('job', {}, { signal: stop.signal }))
  await vi.waitFor(() => expect(seen('tasks/result')).toHaveLength(1))
  const stoppedMs = performance.now()
  stop.cancel(new WeirError('DEADLINE_EXCEEDED', 'over'))
  expect((await call).code).toBe('DEADLINE_EXCEEDED')
  await vi.waitFor(() => expect(seen('notifications/cancelled')).toHaveLength(1), { interval: 5 })
  await vi.waitFor(() => expect(seen('tasks/cancel')).toHaveLength(count), { interval: 5 })
  expect(performance.now() - stoppedMs).toBeLessThan(1_000)
})
