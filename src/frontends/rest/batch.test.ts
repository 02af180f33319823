import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { embedWeir, type Weir } from '../../app.ts'
import { type Connector, defineConnector } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import { jsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'

/** What the tools were given, and how many ran at once. */
const seen = { inputs: [] as unknown[], running: 0, most: 0 }

const tool = (name: string, run: Tool['run'], input: object = { type: 'object' }): Tool => ({
  ...{ kind: 'tool', name, description: name, effect: 'read', input: jsonSchema(input as never), run },
})
const connector = defineConnector({
  type: 'batch',
  summary: 'For tests.',
  config: z.strictObject({}),
  open: async () => ({
    targets: () => [
      tool('echo', async (input) => {
        seen.inputs.push(input)
        return { structuredContent: input }
      }),
      tool('zero', async () => ({ structuredContent: { count: 0, list: [], none: null, no: false } })),
      tool('strict', async (input) => ({ structuredContent: { got: input } }), {
        ...{ type: 'object', additionalProperties: false, properties: { n: { type: 'number' } } },
      }),
      tool('wait', async (input) => {
        seen.running += 1
        seen.most = Math.max(seen.most, seen.running)
        await new Promise((resolve) => setTimeout(resolve, 30))
        seen.running -= 1
        return { structuredContent: input }
      }),
      tool('fail', () => Promise.reject(new WeirError('SQL_ERROR', 'no such table: x'))),
    ],
    check: async () => {},
    close: async () => {},
  }),
}) as Connector

let weir: Weir
let url = ''
beforeAll(async () => {
  const config = { connections: { box: { type: 'batch' } }, server: { port: 0 }, log: { level: 'silent' } }
  weir = embedWeir({ connectors: [connector], config })
  url = (await weir.listen()).url
})
afterAll(() => weir.close(0))

interface Body {
  readonly successful: boolean
  readonly data: {
    readonly results: readonly { successful: boolean; response?: unknown; error_detail?: { code: string } }[]
  }
  readonly error?: string
}
const execute = async (body: object) => {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/mcp/execute`, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.status, body: (await answer.json()) as Body }
}
const call = (name: string, input: object = {}, more: object = {}) => ({
  ...{ tool_slug: `box:${name}`, arguments: input },
  ...more,
})
const codes = ({ data }: Body) => data.results.map((item) => item.error_detail?.code ?? 'ok')

describe('tools side by side', () => {
  it('D4-044: each has its own outcome, in the order asked for, and none is kept from running', async () => {
    const tools = [call('echo', { n: 1 }), call('fail'), call('wait', { n: 2 }), call('echo', { n: 3 })]
    const { status, body } = await execute({ parallel: true, tools })
    expect([status, body.successful, codes(body)]).toEqual([200, false, ['ok', 'SQL_ERROR', 'ok', 'ok']])
    expect(body.data.results.map(({ response }) => response)).toEqual([
      { n: 1 },
      undefined,
      { n: 2 },
      { n: 3 },
    ])
  })

  it('B-137: at most ten of one request run at once', async () => {
    seen.most = 0
    const tools = Array.from({ length: 40 }, (_, n) => call('wait', { n }))
    const { body } = await execute({ parallel: true, tools })
    expect(body.data.results.map(({ response }) => response)).toEqual(tools.map((one) => one.arguments))
    expect(seen.most).toBe(10)
  })
})

describe('a tool that is given what the one before it answered', () => {
  it('D4-045: gets it as previous_result, or the parts of it that are named, where they are named', async () => {
    const { body } = await execute({
      tools: [
        call('echo', { rows: [{ id: 7 }] }),
        call('echo', { keep: true }, { use_previous_result: { id: '/rows/0/id', all: '' } }),
        call('echo', {}, { use_previous_result: true }),
      ],
    })
    const second = { keep: true, id: 7, all: { rows: [{ id: 7 }] } }
    expect(body.data.results.map(({ response }) => response)).toEqual([
      { rows: [{ id: 7 }] },
      second,
      { previous_result: second },
    ])
  })

  it('B-137: gets what is false, 0, empty or null like anything else', async () => {
    const wanted = { count: '/count', list: '/list', none: '/none', no: '/no' }
    const { body } = await execute({
      tools: [call('zero'), call('echo', {}, { use_previous_result: wanted })],
    })
    expect(body.data.results[1]?.response).toEqual({ count: 0, list: [], none: null, no: false })
  })

  it('B-137: is refused where its schema has no such argument, or there is no such part, and ends the run', async () => {
    const strict = call('strict', { n: 1 }, { use_previous_result: true })
    const refused = await execute({ tools: [call('zero'), strict, call('echo')] })
    expect(codes(refused.body)).toEqual(['ok', 'INVALID_INPUT', 'NOT_RUN'])
    const missing = call('echo', {}, { use_previous_result: { id: '/rows/9/id' } })
    seen.inputs.length = 0
    expect(codes((await execute({ tools: [call('zero'), missing] })).body)).toEqual(['ok', 'INVALID_INPUT'])
    expect(seen.inputs).toEqual([])
  })

  it.each([
    ['by the first tool', { tools: [call('echo', {}, { use_previous_result: true })] }],
    [
      'side by side',
      { parallel: true, tools: [call('zero'), call('echo', {}, { use_previous_result: true })] },
    ],
    ['by no pointer', { tools: [call('zero'), call('echo', {}, { use_previous_result: { a: 'rows' } })] }],
    ['by a number', { tools: [call('zero'), call('echo', {}, { use_previous_result: 1 })] }],
    ['with another word for side by side', { parallel: 'yes', tools: [call('zero')] }],
  ])('is asked for in vain %s: nothing runs', async (_, body) => {
    seen.inputs.length = 0
    expect((await execute(body)).status).toBe(400)
    expect(seen.inputs).toEqual([])
  })
})
