import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../app.ts'
import { type Served, serveDesk } from '../../frontends/rest/desk.fixture.ts'
import { describeConnector } from '../../testing/describe-connector.ts'
import { createWorld, type DialectServer, json, startDialectServer } from './dialect-server.fixture.ts'

describe('every connector’s promises', () => {
  let server: DialectServer
  const world = createWorld()
  const secret = 'canary-4f1a'
  beforeAll(async () => {
    server = await startDialectServer()
    server.answer = (path, response) => {
      if (path === '/health') json({ status: 'healthy' })(path, response)
    }
  })
  afterAll(async () => {
    server.close()
    await world.close()
  })
  const headers = { Authorization: `Bearer ${secret}` }
  describeConnector(world.connector, {
    config: () => ({ url: server.url, allowPrivate: true, headers }),
    deadConfig: () => ({ url: 'http://127.0.0.1:1', allowPrivate: true, headers }),
    badConfigs: [
      { config: {}, field: 'url' },
      { config: { url: 'ftp://x' }, field: 'url' },
      { config: { url: `http://x/?token=${secret}` }, field: 'url' },
      { config: { url: 'http://x', interval: 10 }, field: 'interval' },
      { config: { url: 'http://x', discoverTimeout: 0 }, field: 'discoverTimeout' },
      { config: { url: 'http://x', headers: { Host: secret } }, field: 'headers.Host' },
      { config: { url: 'http://x', discover: false }, field: 'definitions' },
      { config: { url: 'http://x', intervall: 1 }, field: 'intervall' },
    ],
    secret,
    slowCall: { tool: 'echo', input: {} },
    ownTools: false,
  })
})

/** The tools of a second Weir, over its REST dialect, through a first one. */
describe('a Weir behind a Weir', () => {
  let served: Served
  let weir: Weir
  let url: string
  beforeAll(async () => {
    served = await serveDesk()
    weir = embedWeir({
      config: {
        connections: { far: { type: 'rest-dialect', url: served.url, allowPrivate: true } },
        server: { port: 0 },
        log: { level: 'silent' },
      },
    })
    ;({ url } = await weir.listen())
    await weir.catalog.settled(2_000)
  })
  afterAll(async () => {
    await weir.close(0)
    await served.weir.close(0)
  })
  const mail = { to: ['ada@example.com'], subject: 'Hello', body: 'Hi' }
  const call = async (slug: string, input: unknown = {}) => {
    const body = JSON.stringify({ tools: [{ tool_slug: `far:${slug}`, arguments: input }] })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/mcp/execute`, { method: 'POST', headers, body })
    // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects.
    return (await response.json()) as any
  }

  it('D4-010, D4-031: has every tool of it, with its schemas, under the connection’s name', () => {
    const names = weir.catalog
      .view('far')!
      .tools.list()
      .map(({ name }) => name)
    const far = served.weir.catalog
      .view()!
      .tools.list()
      .map(({ entry }) => entry.id)
    expect([...names].sort()).toEqual([...far].sort())
    const { target } = weir.catalog.find('far:desk:send_email')!
    expect(target).toMatchObject({ kind: 'tool', effect: 'write', category: 'general' })
    expect(target.definition).toMatchObject({
      inputSchema: { type: 'object', required: ['to', 'subject', 'body'] },
      outputSchema: { type: 'object', properties: { message_id: { type: 'string' } } },
      _meta: { 'weir/definition': { id: 'weir:desk:send_email', category: 'general', effect: 'write' } },
    })
    expect(weir.catalog.connections()).toMatchObject([
      { name: 'far', type: 'rest-dialect', state: 'up', tools: 10 },
    ])
  })

  it('D4-013, D4-014: calls a tool with its arguments, and gives its data back', async () => {
    const { successful, data } = await call('desk:send_email', mail)
    expect([successful, data.results[0].response.status]).toEqual([true, 'sent'])
    expect(served.desk.sent).toEqual([mail])
  })

  it('D4-034, B-121: arguments that the input schema refuses never leave', async () => {
    const before = served.desk.sent.length
    const { successful, data } = await call('desk:send_email', { ...mail, to: 'ada@example.com' })
    expect([successful, data.results[0].error_detail.code]).toEqual([false, 'INVALID_INPUT'])
    expect(data.results[0].error).toContain('/to must be array')
    expect(served.desk.sent.length).toBe(before)
  })

  it.each([
    ['desk:say', { successful: true, response: { content: [{ type: 'text', text: 'hello' }] } }],
    ['desk:say_nothing', { successful: true, response: { content: [] } }],
    ['desk:refuse', { successful: false, error: 'no such mailbox' }],
    ['desk:fail', { successful: false, error: 'no such table: mails' }],
    ['desk:ask', { successful: false, error: 'The tool asks its user a question.' }],
  ])('B-123, D4-015: passes on what %s answers', async (slug, result) => {
    expect((await call(slug)).data.results[0]).toMatchObject(result)
  })

  it('B-130, B-131: takes no tool of another connection, whatever the server calls itself', () => {
    expect(weir.catalog.find('weir:desk:say')).toBeUndefined()
    expect(weir.catalog.find('desk:say')).toBeUndefined()
  })
})
