import { StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { asked } from '../../src/connectors/mcp/fixtures/asked.fixture.ts'
import {
  type AskedClient,
  type AskingGateway,
  connectV1,
  connectV2,
  everything,
  said,
  startAskingGateway,
} from './asking.fixture.ts'
import { type RawClient, startRawClient } from './raw-client.fixture.ts'

// What must not happen: answers that go elsewhere, questions nobody can answer, calls that nobody waits for any more.

let gateway: AskingGateway
const clients: AskedClient[] = []
beforeAll(async () => {
  gateway = await startAskingGateway()
}, 60_000)
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})
afterAll(() => gateway?.close())

async function connect(era: 'legacy' | 'modern', capabilities?: object): Promise<AskedClient> {
  const client =
    era === 'legacy'
      ? await connectV1(new HttpV1(gateway.url), capabilities)
      : await connectV2(new HttpV2(gateway.url), 'modern', capabilities)
  clients.push(client)
  return client
}

const accept = { action: 'accept', content: { name: 'Ada', age: 1, colour: 'red' } }
const never = () => new Promise(() => {})
const ended = async () => said(await (await connect('legacy')).call('v1http__ended'))

describe('a client that lacks the capability', () => {
  it.each([
    'legacy',
    'modern',
  ] as const)('of the %s era: an old server hears it, and may do without', async (era) => {
    const client = await connect(era, {})
    const answer = await client.call('v1stdio__ask', { kind: 'form' })
    expect(answer.isError).toBe(true)
    expect(said(answer)).toContain('cannot be asked elicitation/create')
    expect(said(await client.call('v1stdio__ask', { kind: 'roots' }))).toEqual({ roots: [] })
  })

  it('of the old era is told by a new server, or by Weir', async () => {
    const client = await connect('legacy', {})
    const answer = await client.call('v2http__ask', { kind: 'form' }).catch((error: unknown) => error)
    expect(JSON.stringify(answer)).toMatch(/-32021|INPUT_UNSUPPORTED/)
    expect(client.heard).toEqual([])
  })

  it('and says so with a null is served by a strict server all the same', async () => {
    const raw = startRawClient(gateway.url, { elicitation: { form: {}, url: null }, sampling: null })
    const call = { name: 'v2http__ask', arguments: { kind: 'form' } }
    expect((await raw.modern('tools/call', call)).result).toMatchObject({ resultType: 'input_required' })
    const stream = await raw.open('tools/call', call, await raw.initialize())
    expect(await stream.next()).toMatchObject({ method: 'elicitation/create' })
    stream.leave()
  })

  it('of the new era is told which one it lacks', async () => {
    const client = await connect('modern', { elicitation: {} })
    for (const kind of ['sampling', 'url']) {
      const error = await client.call('v2http__ask', { kind }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: -32021, data: { requiredCapabilities: expect.any(Object) } })
    }
  })
})

describe('a client of the old era', () => {
  it('R12: that cancels while it is asked ends the call at the server', async () => {
    const client = await connect('legacy')
    const leaving = new AbortController()
    client.reply = () => {
      leaving.abort()
      return never()
    }
    await expect(client.call('v1http__ask', { kind: 'url' }, { signal: leaving.signal })).rejects.toThrow()
    await vi.waitFor(async () => expect(await ended()).toContain('ask url unanswered'))
  })

  it('that is asked for ever is asked sixteen times', async () => {
    const client = await connect('legacy')
    client.reply = () => accept
    for (const server of ['v1http', 'v1stdio', 'v2http']) {
      client.heard.splice(0)
      const answer = await client.call(`${server}__ask_often`, { times: 20 })
      expect(said(answer)).toMatch(/UPSTREAM_PROTOCOL.* 16 times/)
      expect(client.heard).toHaveLength(16)
    }
  })

  it('that answers with an error passes it on', async () => {
    const client = await connect('legacy')
    client.reply = () => {
      throw new Error('No model here.')
    }
    const old = await client.call('v1http__ask', { kind: 'sampling' })
    expect(said(old)).toContain('No model here.')
    const modern = await client.call('v2http__ask', { kind: 'sampling' })
    expect(said(modern)).toContain('INPUT_UNSUPPORTED')
    // To a person’s question there is an answer that means the same.
    expect(said(await client.call('v2http__ask', { kind: 'form' }))).toEqual({ action: 'cancel' })
  })

  it.each([
    'v1http',
    'v1stdio',
  ])('hears when it is done at a URL, while its call runs: %s', async (server) => {
    const client = await connect('legacy')
    client.reply = () => ({ action: 'accept' })
    expect(said(await client.call(`${server}__ask_url_and_wait`))).toEqual({ action: 'accept' })
    const { elicitationId } = asked.url.params
    const news = { method: 'notifications/elicitation/complete', params: { elicitationId } }
    expect(client.heard.filter(({ method }) => method === news.method)).toEqual([news])
  })

  it('gets the error of a URL that must be visited first as it came', async () => {
    const client = await connect('legacy')
    const error = await client.call('v1stdio__need_url').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: -32042, data: { elicitations: [asked.url.params] } })
    expect(String(error)).toContain('Sign in first.')
  })
})

describe('a client of the new era', () => {
  it('gets a URL that must be visited first as a question, and calls again', async () => {
    const client = await connect('modern')
    client.reply = async () => {
      await client.call('v1http__visit')
      return { action: 'accept' }
    }
    // A session of its own, in which nobody was there yet.
    expect(said(await client.call('v1http__need_url'))).toBe('signed in')
    expect(client.heard).toMatchObject([{ params: { mode: 'url', url: asked.url.params.url } }])
  })

  it('that will not visit it gets the error, and is not asked again', async () => {
    const client = await connect('modern')
    client.reply = () => ({ action: 'decline' })
    const answer = await client.call('v1stdio__need_url')
    expect([answer.isError, said(answer)]).toEqual([true, expect.stringContaining('Sign in first.')])
    expect(client.heard).toHaveLength(1)
  })

  it('without URLs is told that it lacks them', async () => {
    const client = await connect('modern', { elicitation: { form: {} } })
    const error = await client.call('v1stdio__need_url').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { elicitation: { url: {} } } },
    })
  })
})

describe('S6: the state of a question', () => {
  const params = { name: 'v1http__ask', arguments: { kind: 'form' } }
  let raw: RawClient
  beforeAll(() => {
    raw = startRawClient(gateway.url, everything)
  })

  async function askForState(): Promise<{ key: string; requestState: string }> {
    const { result } = await raw.modern('tools/call', params)
    expect(result).toMatchObject({ resultType: 'input_required' })
    const [key = ''] = Object.keys(result?.['inputRequests'] as object)
    return { key, requestState: String(result?.['requestState']) }
  }

  it('opens once, for the same call', async () => {
    const { key, requestState } = await askForState()
    const inputResponses = { [key]: accept }
    const again = { ...params, inputResponses, requestState }
    const flipped = `${requestState.slice(0, -2)}${requestState.endsWith('AA') ? 'BB' : 'AA'}`
    const forged: readonly object[] = [
      { ...again, requestState: flipped },
      { ...again, arguments: { kind: 'url' } },
      { ...again, name: 'v1http__ask_apart' },
      { ...again, name: 'v1stdio__ask' },
    ]
    for (const attempt of forged)
      expect((await raw.modern('tools/call', attempt)).error).toMatchObject({ code: -32602 })
    const { result } = await raw.modern('tools/call', again)
    expect(JSON.stringify(result)).toContain('Ada')
    expect((await raw.modern('tools/call', again)).error).toMatchObject({ code: -32602 })
  })

  it('is of no use once the server is gone', async () => {
    const asking = { name: 'v1stdio__ask_and_exit', arguments: {} }
    const { result } = await raw.modern('tools/call', asking)
    const requestState = String(result?.['requestState'])
    const down = () => gateway.weir.catalog.connections().find(({ name }) => name === 'v1stdio')
    await vi.waitFor(() => expect(down()?.state).not.toBe('up'), { timeout: 5_000 })
    await vi.waitFor(() => expect(down()?.state).toBe('up'), { timeout: 15_000 })
    const late = await raw.modern('tools/call', { ...asking, requestState, inputResponses: {} })
    expect(late.result).toMatchObject({ isError: true, _meta: { 'weir/error': { code: 'RESUME_LOST' } } })
  })
})

describe('a session', () => {
  let raw: RawClient
  beforeAll(() => {
    raw = startRawClient(gateway.url, everything)
  })
  const call = (kind: string) => ({ name: 'v1http__ask', arguments: { kind } })

  it('S5: is answered by itself alone', async () => {
    const [ada, mallory] = [await raw.initialize(), await raw.initialize()]
    const stream = await raw.open('tools/call', call('form'), ada)
    const question = await stream.next()
    expect(question).toMatchObject({ method: 'elicitation/create' })
    const response = (name: string) => ({
      jsonrpc: '2.0',
      id: question.id,
      result: { action: 'accept', content: { ...accept.content, name } },
    })
    expect(await raw.post(response('Mallory'), mallory)).toBe(202)
    expect(await raw.post(response('Mallory'))).toBe(202)
    expect(await raw.post(response('Mallory'), 'forged')).toBe(404)
    expect(await raw.post(response('Ada'), ada)).toBe(202)
    expect(JSON.stringify(await stream.next())).toContain('Ada')
  })

  it.each([
    ['is deleted', (session: string) => raw.end(session)],
    ['loses its stream', async (_: string, leave: () => void) => leave()],
  ])('that %s while it is asked ends its call', async (_what, stop) => {
    const before = ((await ended()) as string[]).length
    const session = await raw.initialize()
    const stream = await raw.open('tools/call', call('form'), session)
    await stream.next()
    await stop(session, stream.leave)
    await vi.waitFor(async () => expect(await ended()).toHaveLength(before + 1))
  })

  it.each([
    ['2025-06-18', 'form', { message: 'Who are you?' }],
    ['2025-06-18', 'url', undefined],
    ['2025-06-18', 'sampling', undefined],
    ['2025-03-26', 'form', undefined],
    ['2025-03-26', 'roots', {}],
  ])('of %s is asked what its revision has: %s', async (version, kind, params) => {
    const session = await raw.initialize(version)
    const stream = await raw.open('tools/call', call(kind), session)
    const message = await stream.next()
    if (params === undefined) {
      expect(JSON.stringify(message)).toContain('cannot be asked')
      return
    }
    expect(message).toMatchObject({ method: asked[kind as 'form'].method, params })
    expect(message.params).not.toHaveProperty('mode')
    await raw.end(session)
  })

  it('without event streams, or no session at all, cannot be asked', async () => {
    const session = await raw.initialize()
    const deaf = await raw.legacy('tools/call', call('form'), { session, accept: 'application/json' })
    const none = await raw.legacy('tools/call', call('form'), {})
    for (const { result } of [deaf, none]) expect(JSON.stringify(result)).toContain('cannot be asked')
    const modern = await raw.legacy('tools/call', { ...call('form'), name: 'v2http__ask' }, {})
    expect(JSON.stringify(modern)).toMatch(/INPUT_UNSUPPORTED|-32021/)
  })
})
