import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { version } from '../../app.ts'
import type { JsonSchema } from '../../core/schema.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { type Served, serveDesk } from './desk.fixture.ts'

let served: Served
beforeEach(async () => {
  served = await serveDesk()
})
afterEach(async () => {
  served.desk.release()
  await served.weir.close(0)
})

const send: Served['send'] = (path, init) => served.send(path, init)
const post: Served['post'] = (text) => served.post(text)
const execute: Served['execute'] = (body) => served.execute(body)
const run = (...slugs: string[]) =>
  execute({ tools: slugs.map((tool_slug) => ({ tool_slug })), request_id: 'r' })

const mail = { to: ['ada@example.com'], subject: 'Test', body: 'Test email' }
const validMail = { tool_slug: 'send_email', arguments: mail }

/** D4-062: the document’s own contract, word for word. */
const discoveryContract: JsonSchema = {
  type: 'object',
  required: ['server_name', 'version', 'tools'],
  properties: {
    server_name: { type: 'string' },
    version: { type: 'string' },
    tools: { type: 'array' },
    capabilities: { type: 'array' },
  },
}
const executeContract: JsonSchema = {
  type: 'object',
  required: ['tools'],
  properties: {
    tools: {
      type: 'array',
      items: {
        type: 'object',
        required: ['tool_slug', 'arguments'],
        properties: { tool_slug: { type: 'string' }, arguments: { type: 'object' } },
      },
    },
    request_id: { type: 'string' },
  },
}

describe('GET /mcp/discover', () => {
  it('D4-060: answers 200 with a server name and tools, each of them described', async () => {
    const { status, body } = await send('/mcp/discover')
    expect(status).toBe(200)
    expect(body).toMatchObject({ server_name: 'weir', version })
    expect(body.tools.length).toBeGreaterThan(0)
    for (const tool of body.tools) {
      expect(tool).toMatchObject({ name: expect.any(String), description: expect.any(String) })
      expect(tool.input_schema.type).toBe('object')
    }
  })

  it('D4-062: keeps the document’s contract', async () => {
    const { body } = await send('/mcp/discover')
    expect(compileJsonSchema(discoveryContract)(body)).toEqual([])
  })

  it('D4-012: has the document’s fields and no others', async () => {
    const { body } = await send('/mcp/discover')
    expect(Object.keys(body)).toEqual([
      'server_name',
      'version',
      'description',
      'tools',
      'capabilities',
      'health_check_url',
    ])
    expect(body).toMatchObject({ capabilities: ['desk', 'back'], health_check_url: '/health' })
  })

  it('D4-061, C-01: names the tools of every connection, by id, as MCP does', async () => {
    const { body } = await send('/mcp/discover')
    const names = body.tools.map(({ name }: { name: string }) => name)
    expect(names).toEqual(
      served.weir.catalog
        .view()!
        .tools.list()
        .map(({ entry }) => entry.id),
    )
    expect(names).toContain('desk:send_email')
    expect(names).toContain('back:say')
  })

  it('D4-010, D4-011, C-02: shows a tool with snake_case keys and both schemas', async () => {
    const { body } = await send('/mcp/discover')
    const tool = body.tools.find(({ name }: { name: string }) => name === 'desk:send_email')
    expect(Object.keys(tool).sort()).toEqual([
      'category',
      'description',
      'effect',
      'input_schema',
      'name',
      'output_schema',
    ])
    expect(tool).toMatchObject({ category: 'general', effect: 'write' })
    expect(tool.input_schema.required).toEqual(['to', 'subject', 'body'])
    expect(tool.input_schema.properties).toMatchObject({
      to: { type: 'array', items: { type: 'string', format: 'email' } },
      cc: { default: [] },
    })
    expect(Object.keys(tool.output_schema.properties)).toEqual(['message_id', 'status', 'timestamp'])
  })
})

describe('POST /mcp/execute', () => {
  it('D4-060, D4-014: answers a valid call with its data', async () => {
    const { status, body } = await execute({ tools: [validMail], request_id: 'test_123' })
    expect(status).toBe(200)
    const response = { message_id: 'msg_1', status: 'sent', timestamp: '2026-11-01T10:00:00Z' }
    expect(body).toEqual({
      request_id: 'test_123',
      successful: true,
      data: { results: [{ tool_slug: 'send_email', successful: true, response }] },
    })
    expect(served.desk.sent).toEqual([mail])
  })

  it('D4-060, D4-015: answers an unknown tool with its name, and status 200', async () => {
    const { status, body } = await execute({
      tools: [{ tool_slug: 'nonexistent_tool', arguments: {} }],
      request_id: 'test_456',
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      request_id: 'test_456',
      successful: false,
      error: "Tool 'nonexistent_tool' not found",
      error_detail: expect.objectContaining({ code: 'TOOL_NOT_FOUND', retryable: false }),
    })
  })

  it('D4-062: reads every request of the document’s contract', async () => {
    const request = { tools: [validMail, { tool_slug: 'desk:say', arguments: {} }], request_id: '123' }
    expect(compileJsonSchema(executeContract)(request)).toEqual([])
    expect((await execute(request)).body.successful).toBe(true)
  })

  it('D4-013: reads every field of the document', async () => {
    const { status, body } = await execute({
      tools: [validMail],
      sync_response_to_workbench: false,
      thought: 'She waits for it.',
      current_step: 'SENDING',
      request_id: 'r',
    })
    expect([status, body.successful]).toEqual([200, true])
    const nulls = { sync_response_to_workbench: null, thought: null, current_step: null, request_id: null }
    expect((await execute({ tools: [validMail], ...nulls })).body.successful).toBe(true)
  })

  it.each([
    {},
    { request_id: null },
    { request_id: '' },
  ])('B-124: makes a request id where the client sends none: %j', async (more) => {
    const ids = await Promise.all(
      [1, 2].map(async () => (await execute({ tools: [validMail], ...more })).body.request_id),
    )
    expect(ids[0]).toMatch(/^[\w-]{8,}$/)
    expect(ids[0]).not.toBe(ids[1])
    expect(ids).not.toContain('unknown')
  })

  it('B-124: makes a request id for a request that fails, too', async () => {
    for (const text of ['{', '{}', JSON.stringify({ tools: [{ tool_slug: 'no' }] })]) {
      expect((await post(text)).body.request_id).toMatch(/^[\w-]{8,}$/)
    }
  })

  it('B-145: runs a tool without arguments, as with none', async () => {
    expect((await execute({ tools: [{ tool_slug: 'desk:say' }] })).body.successful).toBe(true)
    expect(
      (await execute({ tools: [{ tool_slug: 'send_email' }] })).body.data.results[0].error_detail.code,
    ).toBe('INVALID_INPUT')
  })

  it('answers content without data as it came, and nothing as no content', async () => {
    const { body } = await run('desk:say', 'say_nothing')
    expect(body.data.results.map(({ response }: { response: unknown }) => response)).toEqual([
      { content: [{ type: 'text', text: 'hello' }] },
      { content: [] },
    ])
  })
})

describe('several tools of one request', () => {
  it('D4-014: run one after another, and answer in the order asked for', async () => {
    const subjects = ['one', 'two', 'three']
    const { body } = await execute({
      tools: subjects.map((subject) => ({ tool_slug: 'desk:send_email', arguments: { ...mail, subject } })),
    })
    const { results } = body.data
    expect(results.map((item: { response: { message_id: string } }) => item.response.message_id)).toEqual([
      'msg_1',
      'msg_2',
      'msg_3',
    ])
    expect(served.desk.sent).toMatchObject(subjects.map((subject) => ({ subject })))
  })

  it('B-123, D4-015: keep what succeeded before the first failure, and do not run what follows', async () => {
    const { status, body } = await execute({
      tools: [validMail, { tool_slug: 'fail' }, validMail, { tool_slug: 'hold' }],
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ successful: false, error: 'no such table: mails' })
    const notRun = {
      successful: false,
      error: 'Not run: an earlier tool of the request failed.',
      error_detail: { code: 'NOT_RUN' },
    }
    expect(body.data.results).toMatchObject([
      { tool_slug: 'send_email', successful: true, response: { message_id: 'msg_1' } },
      {
        tool_slug: 'fail',
        successful: false,
        error: 'no such table: mails',
        error_detail: { code: 'SQL_ERROR', hint: 'Create it.' },
      },
      { tool_slug: 'send_email', ...notRun },
      { tool_slug: 'hold', ...notRun },
    ])
    expect(served.desk.sent).toHaveLength(1)
  })

  it('B-121: invalid arguments fail that one, with every issue', async () => {
    const { body } = await execute({
      tools: [validMail, { tool_slug: 'send_email', arguments: { ...mail, to: ['ada'] } }, validMail],
    })
    expect(body.data.results.map(({ successful }: { successful: boolean }) => successful)).toEqual([
      true,
      false,
      false,
    ])
    expect(body.data.results[1].error_detail).toMatchObject({
      code: 'INVALID_INPUT',
      data: { issues: [{ path: '/to/0', message: expect.stringMatching(/^must match /) }] },
    })
    expect(served.desk.sent).toHaveLength(1)
  })

  it('one unknown name among them changes nothing: none runs', async () => {
    const { body } = await execute({ tools: [validMail, { tool_slug: 'nope' }] })
    expect(body).toMatchObject({ successful: false, error: "Tool 'nope' not found" })
    expect(body.data).toBeUndefined()
    expect(served.desk.sent).toEqual([])
  })
})

describe('a tool that fails', () => {
  it.each([
    ['refuse', 'no such mailbox', undefined],
    ['fail', 'no such table: mails', 'SQL_ERROR'],
    ['break', 'Weir failed to run this call.', 'INTERNAL'],
    ['desk:ask', 'The tool asks its user a question.', 'INPUT_UNSUPPORTED'],
  ])('B-06: %s is not successful', async (slug, error, code) => {
    const { status, body } = await run(slug)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      successful: false,
      error,
      data: { results: [{ successful: false, error }] },
    })
    expect(body.data.results[0].error_detail?.code).toBe(code)
    expect(JSON.stringify(body)).not.toContain('canary')
  })

  it('R12: has its own deadline', async () => {
    await served.weir.close(0)
    served = await serveDesk({ policies: { 'desk:hold': { timeout: '30ms' } } })
    const { body } = await run('send_email', 'hold')
    expect(body.data.results[0].error_detail.code).toBe('INVALID_INPUT')
    const { body: timed } = await execute({ tools: [validMail, { tool_slug: 'hold' }] })
    expect(timed.data.results).toMatchObject([
      { successful: true },
      {
        successful: false,
        error: 'desk:hold did not answer within 30 ms.',
        error_detail: { code: 'DEADLINE_EXCEEDED', retryable: true },
      },
    ])
  })
})

describe('C-03, B-139: a slug', () => {
  it('is the id, or the bare name where only one tool has it; never a part of one', async () => {
    expect((await execute({ tools: [{ ...validMail, tool_slug: 'desk:send_email' }] })).body.successful).toBe(
      true,
    )
    expect((await execute({ tools: [validMail] })).body.successful).toBe(true)
    for (const slug of [
      'send',
      'desk:send',
      'email',
      'SEND_EMAIL',
      'desk__send_email',
      'desk',
      '',
      'constructor',
      '__proto__',
    ]) {
      expect((await run(slug)).body.error, slug).toBe(`Tool '${slug}' not found`)
    }
  })

  it('that several connections have is refused with 400 and the candidates', async () => {
    const { status, body } = await run('say')
    expect(status).toBe(400)
    expect(body).toMatchObject({
      request_id: 'r',
      successful: false,
      error: "Several tools are called 'say': desk:say, back:say.",
      error_detail: { code: 'TOOL_AMBIGUOUS', data: { candidates: ['desk:say', 'back:say'] } },
    })
  })
})

describe('R12: a client that leaves', () => {
  it('R12: stops the tool that runs within 100 ms, and what follows never runs', async () => {
    const { desk, url } = served
    const body = JSON.stringify({ tools: [{ tool_slug: 'hold' }, validMail] })
    const client = request(`${url}/mcp/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    client.on('error', () => {})
    client.end(body)
    const { signal } = await desk.held
    expect(signal.aborted).toBe(false)
    const leftMs = performance.now()
    const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve))
    client.destroy()
    await stopped
    expect(performance.now() - leftMs).toBeLessThan(100)
    expect(signal.reason).toMatchObject({ code: 'CANCELLED', message: 'The client left.' })
    desk.release()
    await served.weir.close()
    expect(desk.sent).toEqual([])
  })

  it('leaves a call that ended alone', async () => {
    const { desk, url } = served
    desk.release()
    await (
      await fetch(`${url}/mcp/execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tools: [{ tool_slug: 'hold' }] }),
      })
    ).json()
    const { signal } = await desk.held
    await served.weir.close()
    expect(signal.aborted).toBe(false)
  })
})
