import { createRequire } from 'node:module'
import { Client, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { createTaskSessionFromClient, resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type Gateway,
  type Message,
  modernMeta,
  startGateway,
} from '../../src/frontends/mcp/gateway.fixture.ts'
import { createFixtureState } from '../conformance/fixture/fixture-state.ts'
import { serveHttp } from '../conformance/fixture/serve-http.ts'
import { type AskedClient, connectV1, connectV2 } from './asking.fixture.ts'

const everything = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
)
const extension = 'io.modelcontextprotocol/tasks'
const clientCapabilities = { elicitation: {}, extensions: { [extension]: {} } }
const declaring = { _meta: modernMeta({ 'io.modelcontextprotocol/clientCapabilities': clientCapabilities }) }

const state = createFixtureState()
let gateway: Gateway
let mcp: URL
let suite: Awaited<ReturnType<typeof serveHttp>>
beforeAll(async () => {
  suite = await serveHttp(state, 0)
  const connection = { type: 'mcp', url: suite.url, allowPrivate: true }
  gateway = await startGateway({
    connections: {
      suite: connection,
      hasty: { ...connection, timeout: 300 },
      everything: { type: 'mcp', command: process.execPath, args: [everything, 'stdio'] },
    },
  })
  mcp = new URL('/mcp', gateway.url)
}, 30_000)
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  suite.server.close()
  suite.server.closeAllConnections()
})

const ask = async (method: string, params: object): Promise<Message> =>
  (await gateway.modern(method, { ...declaring, ...params })).messages[0]!
const begin = async (name: string, args: object): Promise<string> =>
  String((await ask('tools/call', { name, arguments: args })).result?.['taskId'])

/** The library that hosts use to follow tasks, on a client of SDK v2, with the wire it asks its host for. */
async function openSession() {
  const client = new Client(
    { name: 'host', version: '1' },
    { capabilities: clientCapabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  await client.connect(new HttpV2(mcp))
  const session = createTaskSessionFromClient(client, {
    endpointId: 'weir',
    v2RequestFraming: {
      protocolVersion: '2026-07-28',
      clientInfo: { name: 'host', version: '1' },
      clientCapabilities,
    },
    rawDispatch: async (request) => {
      const { method, params } = request as { method: string; params: Record<string, unknown> }
      const { result, error } = (await gateway.modern(method, params)).messages[0]!
      return error === undefined
        ? { kind: 'result', result: result as never }
        : { kind: 'error', error: error as never }
    },
    onInputRequest: async () => ({ action: 'accept', content: { confirm: true } }) as never,
  })
  return { session, close: () => client.close() }
}

describe('D2-096: a host that follows tasks', () => {
  it('begins, follows and finishes one with the extension’s own library', async () => {
    const { session, close } = await openSession()
    const execution = await session.callTool('suite__slow_compute', { seconds: 0.3, label: 'it' })
    expect(execution.kind).toBe('task')
    const { outcome } = await execution.settle()
    expect(resultFromTaskOutcome(outcome)).toMatchObject({ content: [{ text: 'Computed it in 0.3 s.' }] })
    const asking = await session.callTool('suite__confirm_delete', { filename: 'a.txt' })
    const answered = resultFromTaskOutcome((await asking.settle()).outcome)
    expect(JSON.stringify(answered)).toContain('accept')
    await session.close()
    await close()
  })

  it('ends one', async () => {
    const taskId = await begin('suite__slow_compute', { seconds: 60 })
    expect((await ask('tasks/cancel', { taskId })).result).toMatchObject({ resultType: 'complete' })
    expect((await ask('tasks/get', { taskId })).result).toMatchObject({ taskId, status: 'cancelled' })
  })

  it('S6: gets to no task by a handle that was changed or guessed, nor by the upstream’s own id', async () => {
    const taskId = await begin('suite__slow_compute', { seconds: 60 })
    const before = state.tasks.seen.length
    for (const bad of [`${taskId}A`, taskId.slice(1), state.tasks.newest, 'x']) {
      for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
        const { error } = await ask(method, { taskId: bad, inputResponses: {} })
        expect(error).toMatchObject({ code: -32_602, message: 'There is no such task.' })
      }
    }
    expect(state.tasks.seen).toHaveLength(before)
    await ask('tasks/cancel', { taskId })
  })

  it('hears from a server that forgot its tasks that it has none, in the server’s words', async () => {
    const taskId = await begin('suite__slow_compute', { seconds: 60 })
    state.tasks.forget()
    const { error } = await ask('tasks/get', { taskId })
    expect(error).toMatchObject({ code: -32_602, message: 'Task not found' })
  })

  it('must declare the extension to ask for tasks or for news of them', async () => {
    const missing = { code: -32_021, data: { requiredCapabilities: { extensions: { [extension]: {} } } } }
    const get = await gateway.modern('tasks/get', { taskId: 'x' })
    expect(get.messages[0]?.error).toMatchObject(missing)
    const notifications = { toolsListChanged: true, taskIds: ['x'] }
    const listen = await gateway.modern('subscriptions/listen', { notifications })
    expect(listen.messages[0]?.error).toMatchObject(missing)
    expect((await gateway.legacy('tasks/get', { taskId: 'x' })).messages[0]?.error?.code).toBe(-32_601)
  })
})

describe('D2-096: a client that knows nothing of tasks', () => {
  const clients: readonly (readonly [string, () => Promise<AskedClient>])[] = [
    ['SDK v1', () => connectV1(new HttpV1(mcp))],
    ['SDK v2', () => connectV2(new HttpV2(mcp), 'legacy')],
    ['SDK v2 of the new era', () => connectV2(new HttpV2(mcp), 'modern')],
  ]

  it.each(clients)('%s gets results, errors and questions of tasks as the call’s own', async (_, connect) => {
    const client = await connect()
    client.reply = () => ({ action: 'accept', content: { confirm: true } })
    const confirmed = await client.call('suite__confirm_delete', { filename: 'b.txt' })
    expect(JSON.stringify(confirmed.content)).toContain('b.txt')
    expect(client.heard).toMatchObject([{ params: { message: 'Delete b.txt?' } }])
    const both = await client.call('suite__multi_input')
    expect(JSON.stringify(both.content)).toMatch(/first.*second/)
    const failed = await client.call('suite__protocol_error_job')
    expect(failed).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('broke down') }],
    })
    await client.close()
  })

  it.each(clients)(
    '%s calls a tool of the old form that runs as a task only',
    async (_, connect) => {
      const client = await connect()
      client.reply = () => ({ action: 'accept', content: { interpretation: 'snake' } })
      await client.list()
      const { content } = await client.call('everything__simulate-research-query', {
        topic: 'python',
        ambiguous: true,
      })
      expect(JSON.stringify(content)).toContain('Research Report: python (snake)')
      expect(client.heard).toHaveLength(1)
      expect(JSON.stringify(client.heard)).not.toContain('related-task')
      await client.close()
    },
    20_000,
  )

  it('R12: ends the task of a call whose time is over', async () => {
    const before = state.tasks.seen.length
    const { result } = (await gateway.modern('tools/call', { name: 'hasty__failing_job' })).messages[0]!
    expect(JSON.stringify(result)).toContain('OUTCOME_UNKNOWN')
    await vi.waitFor(() => expect(state.tasks.seen.slice(before)).toContain('tasks/cancel'))
  })

  it('of the old era cannot be given a task, whatever it declares', async () => {
    const session = await gateway.initialize('2025-11-25', clientCapabilities)
    const params = { name: 'suite__slow_compute', arguments: { seconds: 0.05 } }
    const { messages } = await gateway.legacy('tools/call', params, {
      headers: { 'mcp-session-id': session },
    })
    expect(messages.at(-1)?.result).toMatchObject({
      content: [{ text: expect.stringContaining('Computed') }],
    })
  })

  it('has no tasks over REST', async () => {
    const body = { tools: [{ tool_slug: 'suite:failing_job', arguments: {} }] }
    const reply = await gateway.send({ path: '/mcp/execute', body })
    expect(reply.text).toContain('The job failed.')
  })
})
