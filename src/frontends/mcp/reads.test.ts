import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, modernMeta, modernRequest, startGateway } from './gateway.fixture.ts'
import { createLibrary, type Library, twoShelves } from './library.fixture.ts'

let library: Library
let gateway: Gateway
beforeAll(async () => {
  library = createLibrary()
  gateway = await startGateway(twoShelves, [library.connector])
})
afterAll(() => gateway[Symbol.asyncDispose]())

type Fields = Readonly<Record<string, unknown>>
const modern = async (method: string, params: Fields = {}, path = '/mcp') => {
  const { status, messages } = await gateway.modern(method, params, { path })
  return { status, ...messages[0] }
}
const legacy = async (method: string, params: Fields = {}, path = '/mcp') => {
  const { status, messages } = await gateway.legacy(method, params, { path })
  return { status, ...messages[0] }
}
const eras = [
  ['modern', modern],
  ['legacy', legacy],
] as const

describe.each(eras)('the lists, %s', (_era, ask) => {
  const uris = async (path?: string) => {
    const { result } = await ask('resources/list', {}, path)
    return (result?.['resources'] as { uri: string }[]).map(({ uri }) => uri)
  }

  it('hold every resource under its URI, and one that two connections have under a URI of each', async () => {
    const all = await uris()
    expect(all).toContain('note:a')
    expect(all).toContain('weir:a:note:shared')
    expect(all).toContain('weir:b:note:shared')
    expect(all).not.toContain('note:shared')
    expect(await uris('/mcp/a')).toContain('note:shared')
    expect(await uris('/mcp/a')).not.toContain('note:b')
  })

  it('keep each field of a definition', async () => {
    const { result } = await ask('resources/list')
    const resources = result?.['resources'] as { uri: string }[]
    expect(resources.find(({ uri }) => uri === 'note:a')).toEqual({
      uri: 'note:a',
      name: 'note:a',
      mimeType: 'text/plain',
      annotations: { priority: 1 },
      future: [1],
    })
  })

  it('hold templates and prompts', async () => {
    const { result } = await ask('resources/templates/list')
    expect(result?.['resourceTemplates']).toMatchObject([
      { uriTemplate: 'book-a:{title}' },
      { uriTemplate: 'book-b:{title}' },
    ])
    const prompts = (await ask('prompts/list')).result?.['prompts']
    expect(prompts).toContainEqual({
      name: 'a__greet',
      description: 'For tests.',
      arguments: [{ name: 'who', description: 'Whom.', required: true }],
    })
    expect((await ask('prompts/list', {}, '/mcp/b')).result?.['prompts']).toMatchObject([
      { name: 'greet' },
      { name: 'refuse' },
      { name: 'wonder' },
    ])
  })

  it('have one page', async () => {
    for (const list of ['resources/list', 'resources/templates/list', 'prompts/list'])
      expect((await ask(list, { cursor: 'x' })).error).toMatchObject({ code: -32602 })
  })
})

describe.each(eras)('a read, %s', (era, ask) => {
  const read = (uri: unknown, path?: string) => ask('resources/read', { uri }, path)

  it('passes every part on, and every field of it', async () => {
    const { result } = await read('note:a')
    expect(result).toMatchObject({
      contents: [
        { uri: 'note:a', text: 'text of note:a', future: [1] },
        { uri: 'note:elsewhere', text: 'a second part', future: true },
      ],
      _meta: { 'a/b': 1 },
    })
    expect(result).not.toHaveProperty('content')
  })

  it('reaches the connection that its URI names, and answers under the URI that was asked for', async () => {
    for (const shelf of ['a', 'b']) {
      const at = library.seen.length
      const uri = `weir:${shelf}:note:shared`
      expect((await read(uri)).result?.['contents']).toMatchObject([
        { uri, text: 'text of note:shared' },
        { uri: 'note:elsewhere' },
      ])
      expect(library.seen.slice(at)).toEqual(['read note:shared'])
    }
    expect((await read('weir:b:note:b')).result).toMatchObject({ contents: [{ uri: 'weir:b:note:b' }, {}] })
    expect((await read('note:shared', '/mcp/b')).result).toMatchObject({
      contents: [{ uri: 'note:shared' }, {}],
    })
    expect((await read('note:shared')).error).toMatchObject({ data: { weirCode: 'RESOURCE_NOT_FOUND' } })
  })

  it('reaches what only a template answers for', async () => {
    expect((await read('book-b:emma')).result).toMatchObject({
      contents: [{ text: 'text of book-b:emma' }, {}],
    })
  })

  it('passes a blob on, for as long as its connection says, and to this caller alone', async () => {
    const { result } = await read('image:a')
    expect(result).toMatchObject({ contents: [{ uri: 'image:a', mimeType: 'image/png', blob: 'aGVsbG8=' }] })
    if (era === 'modern')
      expect(result).toMatchObject({ ttlMs: 60_000, cacheScope: 'private', resultType: 'complete' })
    if (era === 'modern')
      expect((await read('note:a')).result).toMatchObject({ ttlMs: 0, cacheScope: 'private' })
  })

  it('of an unknown URI fails as the era has it, whoever does not know it', async () => {
    const code = era === 'modern' ? -32602 : -32002
    for (const uri of ['none:x', 'weir:none:note:a', 'gone:a', 'gone-modern:a', 'weir:b:gone:b'])
      expect((await read(uri)).error).toMatchObject({ code, data: { uri, weirCode: 'RESOURCE_NOT_FOUND' } })
    expect((await read(7)).error).toMatchObject({ code: -32602, data: { weirCode: 'INVALID_PARAMS' } })
  })

  it.each([
    ['invalid:a', -32602, { weirCode: 'UPSTREAM_ERROR' }],
    ['down:a', -32603, { weirCode: 'CONNECTION_UNAVAILABLE', retryable: true }],
    ['broken:a', -32603, { weirCode: 'INTERNAL' }],
  ])('that fails is a JSON-RPC error: %s', async (uri, code, data) => {
    const answer = await read(uri)
    expect(answer.error).toMatchObject({ code, data })
    expect(answer.result).toBeUndefined()
    expect(JSON.stringify(answer)).not.toContain('hunter2')
    if (code !== -32603 || uri === 'down:a') expect(answer.status).toBe(200)
  })
})

it('a read that needs its user to visit a URL tells an old client so, as its protocol has it', async () => {
  const elicitations = [{ mode: 'url', url: 'https://example.com/' }]
  expect((await legacy('resources/read', { uri: 'visit:a' })).error).toMatchObject({
    code: -32042,
    data: { elicitations },
  })
})

describe('a read on its way', () => {
  it('says its progress, and stops when its client leaves', async () => {
    const _meta = modernMeta({ progressToken: 'p' })
    const stream = await gateway.open(modernRequest('resources/read', { uri: 'slow:a', _meta }))
    expect(await stream.next()).toMatchObject({
      method: 'notifications/progress',
      params: { progressToken: 'p', progress: 1, total: 2 },
    })
    const stopped = library.when('stopped slow:a')
    stream.leave()
    await stopped
  })

  it('stops when its legacy client cancels it', async () => {
    const headers = { 'mcp-session-id': await gateway.initialize() }
    const started = library.when('read slow:b')
    const reading = gateway.send({
      headers,
      body: { jsonrpc: '2.0', id: 'slow', method: 'resources/read', params: { uri: 'slow:b' } },
    })
    await started
    const stopped = library.when('stopped slow:b')
    const params = { requestId: 'slow' }
    await gateway.send({ headers, body: { jsonrpc: '2.0', method: 'notifications/cancelled', params } })
    await stopped
    expect((await reading).messages[0]?.error).toMatchObject({ data: { weirCode: 'CANCELLED' } })
  })

  it('S6: resumes with a requestState of the same URI alone, and once', async () => {
    const asked = await modern('resources/read', { uri: 'ask:a' })
    expect(asked.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { which: { method: 'elicitation/create' } },
    })
    const answers = {
      requestState: asked.result?.['requestState'],
      inputResponses: { which: { action: 'accept' } },
    }
    for (const uri of ['ask:b', 'note:a', 'weir:b:ask:b'])
      expect((await modern('resources/read', { uri, ...answers })).error).toMatchObject({ code: -32602 })
    const tool = { name: 'probe__ask', arguments: { uri: 'ask:a' } }
    expect((await modern('tools/call', { ...tool, ...answers })).error).toMatchObject({ code: -32602 })
    const { result } = await modern('resources/read', { uri: 'ask:a', ...answers })
    const [content] = result?.['contents'] as { text: string }[]
    expect(JSON.parse(content!.text)).toEqual({
      resume: 'round-1',
      responses: { which: { action: 'accept' } },
    })
    expect((await modern('resources/read', { uri: 'ask:a', ...answers })).error).toMatchObject({
      code: -32602,
    })
  })

  it('S8: is refused before it runs where Mcp-Name says another URI', async () => {
    const at = library.seen.length
    for (const name of ['note:b', 'weir:a:note:a', '']) {
      const reply = await gateway.modern(
        'resources/read',
        { uri: 'note:a' },
        { headers: { 'mcp-name': name } },
      )
      expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32020])
    }
    expect(library.seen.slice(at)).toEqual([])
  })
})

it('R6: what a connection that is still starting may have is waited for, and no longer than 2 s', async () => {
  for (const isUnlocked of [true, false]) {
    const slow = createLibrary(true)
    await using starting = await startGateway(twoShelves, [slow.connector], 0)
    const startedMs = performance.now()
    const answers = Promise.all([
      starting.legacy('resources/read', { uri: 'note:a' }),
      starting.legacy('prompts/get', { name: 'a__greet', arguments: { who: 'Ada' } }),
      starting.legacy('completion/complete', {
        ref: { type: 'ref/resource', uri: 'book-a:{title}' },
        argument: { name: 'title', value: '' },
      }),
    ])
    await starting.legacy('ping')
    if (isUnlocked) slow.unlock()
    for (const { messages } of await answers) expect(messages[0]?.error === undefined).toBe(isUnlocked)
    expect(performance.now() - startedMs).toBeLessThan(isUnlocked ? 1_500 : 3_000)
    slow.unlock()
  }
})
