import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Served, serveDesk } from './desk.fixture.ts'

let served: Served
beforeAll(async () => {
  served = await serveDesk()
})
afterAll(() => served.weir.close(0))

describe('a request that is none', () => {
  const many = Array.from({ length: 101 }, () => ({ tool_slug: 'desk:say' }))
  const deep = `${'['.repeat(65)}${']'.repeat(65)}`

  it.each<[string, string, number, string]>([
    ['no JSON', '{', 400, 'PARSE_ERROR'],
    ['an empty body', '', 400, 'PARSE_ERROR'],
    ['a list', '[]', 400, 'INVALID_REQUEST'],
    ['null', 'null', 400, 'INVALID_REQUEST'],
    ['no tools', '{}', 400, 'INVALID_REQUEST'],
    ['an empty list of tools', '{"tools":[]}', 400, 'INVALID_REQUEST'],
    ['101 tools', JSON.stringify({ tools: many }), 400, 'INVALID_REQUEST'],
    ['a tool without a slug', '{"tools":[{}]}', 400, 'INVALID_REQUEST'],
    ['a slug that is no text', '{"tools":[{"tool_slug":7}]}', 400, 'INVALID_REQUEST'],
    [
      'arguments that are no object',
      '{"tools":[{"tool_slug":"say","arguments":[]}]}',
      400,
      'INVALID_REQUEST',
    ],
    ['a misspelt field', '{"tool":[]}', 400, 'INVALID_REQUEST'],
    ['a misspelt field of a tool', '{"tools":[{"tool_slug":"say","args":{}}]}', 400, 'INVALID_REQUEST'],
    ['a thought that is no text', '{"tools":[{"tool_slug":"say"}],"thought":1}', 400, 'INVALID_REQUEST'],
    [
      'a long request id',
      JSON.stringify({ tools: many.slice(0, 1), request_id: 'x'.repeat(201) }),
      400,
      'INVALID_REQUEST',
    ],
    [
      'a workbench',
      '{"tools":[{"tool_slug":"say"}],"sync_response_to_workbench":true}',
      400,
      'INVALID_REQUEST',
    ],
    [
      'a workbench in words',
      '{"tools":[{"tool_slug":"say"}],"sync_response_to_workbench":"yes"}',
      400,
      'INVALID_REQUEST',
    ],
    ['R20: depth', `{"tools":${deep}}`, 400, 'BODY_TOO_COMPLEX'],
    ['R20: size', `{"tools":"${'x'.repeat(4 * 1024 * 1024)}"}`, 413, 'BODY_TOO_LARGE'],
    [
      'S18: __proto__',
      '{"tools":[{"tool_slug":"say","arguments":{"__proto__":{"a":1}}}]}',
      400,
      'FORBIDDEN_KEY',
    ],
    [
      'S18: constructor.prototype',
      '{"tools":[{"tool_slug":"say","arguments":{"constructor":{"prototype":{}}}}]}',
      400,
      'FORBIDDEN_KEY',
    ],
  ])('%s', async (_, text, status, code) => {
    const answer = await served.post(text)
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({
      successful: false,
      error: expect.any(String),
      error_detail: { code },
    })
    expect(JSON.stringify(answer.body).length).toBeLessThan(1_000)
  })

  it('of up to 100 tools is one', async () => {
    expect((await served.execute({ tools: many.slice(0, 100) })).body.data.results).toHaveLength(100)
  })

  it('echoes no name of a megabyte', async () => {
    const field = 'x'.repeat(1_000_000)
    for (const body of [
      { [field]: 1 },
      { tools: [{ tool_slug: 'desk:say', [field]: 1 }] },
      { tools: [{ tool_slug: field }] },
    ]) {
      expect(JSON.stringify((await served.execute(body)).body).length).toBeLessThan(1_000)
    }
  })

  it('without a body and without a type is refused, as an empty one is', async () => {
    const { status, body } = await served.send('/mcp/execute', { method: 'POST' })
    expect([status, body.error_detail.code]).toEqual([400, 'PARSE_ERROR'])
  })

  it.each([
    ['another type', { 'content-type': 'text/plain' }, '{}'],
    [
      'S18: a compressed one',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      gzipSync('{}'),
    ],
  ])('is %s', async (_, headers, body) => {
    const answer = await served.send('/mcp/execute', { method: 'POST', headers, body })
    expect([answer.status, answer.body.error_detail?.code ?? answer.body.error.code]).toEqual([
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ])
  })
})
