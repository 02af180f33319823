import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeHeaderValue } from '../../wire/headers.ts'
import {
  type Gateway,
  modernMeta,
  modernRequest,
  type Sending,
  startGateway,
  version,
} from './gateway.fixture.ts'

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const tool = (name: string, input: object = {}, more: object = {}) =>
  modernRequest('tools/call', { name: `probe__${name}`, arguments: input, ...more })

/** The same request with other headers; an empty text takes one away. */
function withHeaders(request: Sending, changes: Readonly<Record<string, string>>): Sending {
  const headers = Object.entries({ ...request.headers, ...changes }).filter(([, value]) => value !== '')
  return { ...request, headers: Object.fromEntries(headers) }
}

describe('S8: headers that contradict the body', () => {
  it('S8: a header that names a read tool does not carry a body that deletes: nothing runs', async () => {
    const before = [...gateway.probe.seen]
    const request = withHeaders(tool('remove'), { 'mcp-name': 'probe__echo' })
    const reply = await gateway.send(request)
    expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32020])
    expect(gateway.probe.seen).toEqual(before)
    expect((await gateway.send(tool('remove'))).status).toBe(200)
    expect(gateway.probe.seen).toEqual([...before, 'remove'])
  })

  const table: readonly [string, Readonly<Record<string, string>>][] = [
    ['no Mcp-Method', { 'mcp-method': '' }],
    ['another Mcp-Method', { 'mcp-method': 'tools/list' }],
    ['an Mcp-Method in another case', { 'mcp-method': 'Tools/Call' }],
    ['no Mcp-Name', { 'mcp-name': '' }],
    ['an Mcp-Name in another case', { 'mcp-name': 'PROBE__REMOVE' }],
    ['an encoded Mcp-Name of another tool', { 'mcp-name': encodeHeaderValue('probe__écho') }],
    ['an Mcp-Name whose encoding is broken', { 'mcp-name': '=?base64?%%%?=' }],
    ['an older MCP-Protocol-Version', { 'mcp-protocol-version': '2025-11-25' }],
    ['no MCP-Protocol-Version', { 'mcp-protocol-version': '' }],
    ['two versions', { 'mcp-protocol-version': `${version}, ${version}` }],
  ]
  it.each(
    table,
  )('S8: %s is -32020 or -32022 with 400, under the id, and nothing runs', async (_what, changes) => {
    const before = [...gateway.probe.seen]
    const request = withHeaders(tool('remove'), changes)
    const reply = await gateway.send(request)
    expect(reply.status).toBe(400)
    expect(reply.messages[0]).toMatchObject({
      id: (request.body as { id: number }).id,
      error: { code: -32020 },
    })
    expect(gateway.probe.seen).toEqual(before)
  })

  it('S8: a name in base64 says what it says', async () => {
    const encoded = `=?base64?${Buffer.from('probe__echo').toString('base64')}?=`
    expect((await gateway.send(withHeaders(tool('echo'), { 'mcp-name': encoded }))).status).toBe(200)
  })

  it('S8: a header with raw bytes beyond ASCII is refused, even where it reads like the body', async () => {
    const request = modernRequest('tools/call', { name: 'é' })
    expect((await gateway.send(request)).messages[0]?.error?.code).toBe(-32020)
    const encoded = withHeaders(request, { 'mcp-name': encodeHeaderValue('é') })
    expect((await gateway.send(encoded)).messages[0]?.error?.code).toBe(-32602)
  })

  it.each([
    ['the same', { region: 'eu' }, 'eu', 200],
    ['base64 of the same', { region: 'Zürich' }, encodeHeaderValue('Zürich'), 200],
    ['none, and none in the body', {}, '', 200],
    ['none, and null in the body', { region: null }, '', 200],
    ['another', { region: 'eu' }, 'us', 400],
    ['none, and one in the body', { region: 'eu' }, '', 400],
    ['one, and none in the body', {}, 'eu', 400],
    ['a number like the text', { region: '42' }, '42.0', 400],
    ['a number that rounds to the text', { region: '9007199254740992' }, '9007199254740993', 400],
  ])('S8: an Mcp-Param header of %s', async (_what, input, header, status) => {
    const before = gateway.probe.seen.length
    const reply = await gateway.send(withHeaders(tool('region', input), { 'mcp-param-region': header }))
    expect(reply.status).toBe(status)
    if (status === 200) return
    expect(reply.messages[0]?.error?.code).toBe(-32020)
    expect(gateway.probe.seen).toHaveLength(before)
  })

  it('S8: headers of the new era mean nothing in a legacy request', async () => {
    const headers = { 'mcp-method': 'tools/list', 'mcp-name': 'probe__remove' }
    const reply = await gateway.legacy('tools/call', { name: 'probe__echo' }, { headers })
    expect(reply.messages[0]?.result).toMatchObject({ structuredContent: { echo: {} } })
  })
})

describe('S6: questions and their sealed state', () => {
  const askState = async (input: object = {}) => {
    const { messages } = await gateway.send(tool('ask', input))
    expect(messages[0]?.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { who: { method: 'elicitation/create' } },
    })
    return String(messages[0]?.result?.['requestState'])
  }
  const answer = { who: { action: 'accept', content: {} } }
  const answered = (requestState: string, input: object = {}, name = 'ask') =>
    gateway.send(tool(name, input, { inputResponses: answer, requestState }))

  it('S6: come back to the tool with the answers, its own state behind the seal', async () => {
    const state = await askState({ a: { x: 1, y: [2] } })
    expect(state).not.toContain('round-1')
    expect(Buffer.from(state, 'base64url').toString('latin1')).not.toContain('round-1')
    const reply = await answered(state, { a: { y: [2], x: 1 } })
    expect(reply.messages[0]?.result).toMatchObject({
      resultType: 'complete',
      structuredContent: { resume: 'round-1', responses: answer },
    })
  })

  it('S6: open once', async () => {
    const state = await askState()
    expect((await answered(state)).messages[0]?.result).toBeDefined()
    const before = gateway.probe.seen.length
    expect((await answered(state)).messages[0]?.error?.code).toBe(-32602)
    expect(gateway.probe.seen).toHaveLength(before)
  })

  it('S6: are refused when changed, cut, extended, respelled, empty, of another tool, of other arguments', async () => {
    const state = await askState()
    const first = state.startsWith('A') ? 'B' : 'A'
    const before = gateway.probe.seen.length
    for (const [what, reply] of [
      ['changed', await answered(first + state.slice(1))],
      ['cut', await answered(state.slice(0, -4))],
      ['extended', await answered(`${state}AAAA`)],
      ['respelled', await answered(`${state}=`)],
      ['empty', await answered('')],
      ['a number', await gateway.send(tool('ask', {}, { requestState: 7 }))],
      ['another tool', await answered(state, {}, 'echo')],
      ['other arguments', await answered(state, { more: 1 })],
    ] as const) {
      expect([what, reply.status, reply.messages[0]?.error?.code]).toEqual([what, 400, -32602])
    }
    expect(gateway.probe.seen).toHaveLength(before)
    expect((await answered(state)).messages[0]?.result).toBeDefined()
  })

  it('S6: of another gateway without the key are refused, with it are opened', async () => {
    const sessionKey = 'k'.repeat(32)
    const [first, second] = [
      await startGateway({ server: { sessionKey } }),
      await startGateway({ server: { sessionKey } }),
    ]
    try {
      const { messages } = await first.send(tool('ask'))
      const requestState = String(messages[0]?.result?.['requestState'])
      const resend = () => tool('ask', {}, { inputResponses: answer, requestState })
      expect((await gateway.send(resend())).messages[0]?.error?.code).toBe(-32602)
      expect((await second.send(resend())).messages[0]?.result).toMatchObject({ resultType: 'complete' })
    } finally {
      await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()])
    }
  })

  it('are not put to a client that did not say it can answer: 400, -32021 and what is missing', async () => {
    const _meta = modernMeta({ 'io.modelcontextprotocol/clientCapabilities': {} })
    const reply = await gateway.send(tool('ask', {}, { _meta }))
    expect(reply.status).toBe(400)
    expect(reply.messages[0]?.error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { elicitation: {} } },
    })
  })

  it('fail as a result for a legacy client', async () => {
    const reply = await gateway.legacy('tools/call', { name: 'probe__ask' })
    expect(reply.messages[0]?.result).toMatchObject({
      isError: true,
      _meta: { 'weir/error': { code: 'INPUT_UNSUPPORTED' } },
    })
  })
})
