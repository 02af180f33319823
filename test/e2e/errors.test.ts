import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { embedWeir, type Weir } from '../../src/app.ts'
import { defineConnector } from '../../src/core/connector.ts'
import { WeirError } from '../../src/core/error.ts'
import { type ErrorCode, type ErrorSpec, errorCatalogue } from '../../src/core/error-catalogue.ts'
import { jsonSchema } from '../../src/core/schema.ts'
import type { Target } from '../../src/core/tool.ts'

// The third side of the error catalogue: what it says is what both dialects send, for every code.

const thrower: Target = {
  kind: 'tool',
  name: 'throw',
  description: 'Throws an error of the code it is given.',
  effect: 'read',
  input: jsonSchema<{ code: ErrorCode }>({
    type: 'object',
    properties: { code: { type: 'string' } },
  }) as Target['input'],
  async run(input) {
    const { code } = input as { code: ErrorCode }
    throw new WeirError(code, `This is ${code}.`, {
      hint: 'Try.',
      cause: new Error('the secret cause'),
      data: { fact: 1 },
    })
  },
}
const connector = defineConnector({
  type: 'thrower',
  summary: 'Fails as it is told.',
  config: z.strictObject({}),
  open: async () => ({ targets: () => [thrower], check: async () => {}, close: async () => {} }),
})

let weir: Weir
let url: string
beforeAll(async () => {
  const config = {
    connections: { t: { type: 'thrower' } },
    // Each code is thrown again and again, and has to be answered each time.
    policies: { '*': { breaker: false, retry: false } },
    log: { level: 'silent' },
    server: { port: 0 },
  }
  weir = embedWeir({ config, connectors: [connector] })
  url = (await weir.listen()).url
  await weir.catalog.settled(5_000)
})
afterAll(() => weir.close())

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  expect(text).not.toContain('secret cause')
  return { status: response.status, body: JSON.parse(text) }
}

const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 't__throw' }
const _meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

describe.each(Object.entries<ErrorSpec>(errorCatalogue))('%s', (code, { mcp, retryable, http }) => {
  const detail = { code, message: `This is ${code}.`, hint: 'Try.', retryable, data: { fact: 1 } }

  it('B-06: is in MCP what the catalogue says, in both eras', async () => {
    const params = { name: 't__throw', arguments: { code } }
    const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
    const answers = [
      await post('/mcp', { ...request, params: { ...params, _meta } }, modern),
      await post('/mcp', request),
    ]
    // The one code that the old era has for itself.
    const legacyMcp = code === 'RESOURCE_NOT_FOUND' ? -32002 : mcp
    for (const [at, { body }] of answers.entries()) {
      if (mcp === 'isError') {
        expect(body.result).toMatchObject({ isError: true, _meta: { 'weir/error': detail } })
        expect(body.result.content[0].text).toBe(`${code}: This is ${code}. Try.`)
      } else {
        expect(body.error).toMatchObject({ code: at === 0 ? mcp : legacyMcp, message: detail.message })
        expect(body.error.data).toEqual({ fact: 1, weirCode: code, retryable, hint: 'Try.' })
      }
    }
    // A tool that fails is an answer; a misuse is refused, and 404 is kept for unknown methods.
    const refusal = http === 404 && code !== 'METHOD_NOT_FOUND' ? 400 : http
    expect(answers.map(({ status }) => status)).toEqual([mcp === 'isError' ? 200 : refusal, 200])
  })

  it('B-06: is the item’s own error in the REST dialect', async () => {
    const { status, body } = await post('/mcp/execute', {
      tools: [{ tool_slug: 'throw', arguments: { code } }],
    })
    // What Weir refuses before a tool runs is a refusal of the whole request (B-125, R2).
    const refusals: Readonly<Record<string, number>> = {
      PERMISSION_DENIED: 403,
      RATE_LIMITED: 429,
      IDEMPOTENCY_IN_FLIGHT: 409,
      IDEMPOTENCY_MISMATCH: 422,
    }
    expect(status).toBe(refusals[code] ?? 200)
    expect(body).toMatchObject({ successful: false, error: detail.message })
    expect(body.data.results).toEqual([
      { tool_slug: 'throw', successful: false, error: detail.message, error_detail: detail },
    ])
  })
})
