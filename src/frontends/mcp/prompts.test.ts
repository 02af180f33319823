import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, startGateway } from './gateway.fixture.ts'
import { createLibrary, type Library, twoShelves } from './library.fixture.ts'

let library: Library
let gateway: Gateway
beforeAll(async () => {
  library = createLibrary()
  gateway = await startGateway(twoShelves, [library.connector])
  library.use(gateway.weir.catalog)
})
afterAll(() => gateway[Symbol.asyncDispose]())

type Fields = Readonly<Record<string, unknown>>
const modern = async (method: string, params: Fields = {}) =>
  (await gateway.modern(method, params)).messages[0] ?? {}
const legacy = async (method: string, params: Fields = {}) =>
  (await gateway.legacy(method, params)).messages[0] ?? {}
const eras = [
  ['modern', modern],
  ['legacy', legacy],
] as const

describe.each(eras)('a prompt, %s', (_era, ask) => {
  const get = (name: unknown, input?: unknown) =>
    ask('prompts/get', { name, ...(input === undefined ? {} : { arguments: input }) })

  it('is made by the connection that its name names, every field of it', async () => {
    expect((await get('b__greet', { who: 'Ada' })).result).toMatchObject({
      messages: [{ role: 'user', content: { type: 'text', text: 'Hello Ada', future: 1 } }],
      future: 2,
    })
    expect((await get('a__refuse')).error).toMatchObject({
      code: -32602,
      data: { weirCode: 'UPSTREAM_ERROR' },
    })
  })

  it.each<[string, unknown, unknown, string]>([
    ['an unknown name', 'a__none', {}, 'PROMPT_NOT_FOUND'],
    ['a name that is no text', 7, {}, 'INVALID_PARAMS'],
    ['a missing argument', 'a__greet', undefined, 'INVALID_INPUT'],
    ['an argument that is no text', 'a__greet', { who: 7 }, 'INVALID_PARAMS'],
    ['arguments that are no object', 'a__greet', ['Ada'], 'INVALID_PARAMS'],
  ])('with %s is refused with -32602', async (_what, name, input, weirCode) => {
    const at = library.seen.length
    expect((await get(name, input)).error).toMatchObject({ code: -32602, data: { weirCode } })
    expect(library.seen.slice(at)).toEqual([])
  })
})

describe.each(eras)('a completion, %s', (era, ask) => {
  const complete = (ref: unknown, value: unknown = 'em', more: Fields = {}) =>
    ask('completion/complete', { ref, argument: { name: 'title', value }, ...more })
  const template = { type: 'ref/resource', uri: 'book-a:{title}' }

  it.each([
    ['a prompt', { type: 'ref/prompt', name: 'b__greet' }],
    ['a template', template],
    ['a URI that a template answers for', { type: 'ref/resource', uri: 'book-b:emma' }],
  ])('of %s has the values that its connection gives, and knows the other arguments', async (_what, ref) => {
    const context = { arguments: { shelf: 'top' } }
    const { result } = await complete(ref, 'em', { context })
    expect(result).toMatchObject({
      completion: { values: ['em0', 'em1'], total: 2, hasMore: false },
      known: { shelf: 'top' },
    })
    expect(result?.['resultType']).toBe(era === 'modern' ? 'complete' : undefined)
  })

  it('of what nobody completes is empty', async () => {
    const nothing = { completion: { values: [], total: 0, hasMore: false } }
    expect((await complete({ type: 'ref/prompt', name: 'a__refuse' })).result).toMatchObject(nothing)
    expect((await complete({ type: 'ref/resource', uri: 'note:a' })).result).toMatchObject(nothing)
  })

  it('has at most 100 values, and says that there are more', async () => {
    const { result } = await complete(template, 'many')
    const { values, total, hasMore } = result?.['completion'] as Record<string, unknown>
    expect([(values as string[]).length, total, hasMore]).toEqual([100, 150, true])
  })

  it.each<[string, Fields, string]>([
    ['no ref', {}, 'INVALID_PARAMS'],
    ['a ref of no known type', { ref: { type: 'ref/tool', name: 'a__greet' } }, 'INVALID_PARAMS'],
    ['a prompt that is not there', { ref: { type: 'ref/prompt', name: 'none' } }, 'PROMPT_NOT_FOUND'],
    ['no argument', { ref: template, argument: undefined }, 'INVALID_PARAMS'],
    ['a value that is no text', { ref: template, argument: { name: 'title', value: 7 } }, 'INVALID_PARAMS'],
    ['a context that is none', { ref: template, context: 'x' }, 'INVALID_PARAMS'],
    [
      'other arguments that are no texts',
      { ref: template, context: { arguments: { a: 1 } } },
      'INVALID_PARAMS',
    ],
  ])('with %s is refused with -32602', async (_what, params, weirCode) => {
    const answer = await ask('completion/complete', { argument: { name: 'title', value: '' }, ...params })
    expect(answer.error).toMatchObject({ code: -32602, data: { weirCode } })
  })
})

it('a completion asks its user nothing: the protocol has no questions there', async () => {
  const ref = { type: 'ref/prompt', name: 'a__greet' }
  const params = { ref, argument: { name: 'who', value: 'ask' } }
  expect((await modern('completion/complete', params)).error).toMatchObject({
    code: -32603,
    data: { weirCode: 'UPSTREAM_PROTOCOL' },
  })
})

it('S6: a prompt resumes with a requestState of the same prompt and arguments alone', async () => {
  const params = { name: 'a__wonder', arguments: { who: 'Ada' } }
  const asked = await modern('prompts/get', params)
  expect(asked.result).toMatchObject({ resultType: 'input_required' })
  const answers = { requestState: asked.result?.['requestState'], inputResponses: {} }
  for (const other of [
    { ...params, arguments: { who: 'Eve' } },
    { ...params, name: 'b__wonder' },
  ])
    expect((await modern('prompts/get', { ...other, ...answers })).error).toMatchObject({ code: -32602 })
  expect((await modern('prompts/get', { ...params, ...answers })).result).toMatchObject({
    messages: [{ content: { text: 'Hello Ada' } }],
  })
})

it('S8: a prompt is refused before it runs where Mcp-Name says another', async () => {
  const at = library.seen.length
  const params = { name: 'a__greet', arguments: { who: 'Ada' } }
  const reply = await gateway.modern('prompts/get', params, { headers: { 'mcp-name': 'b__greet' } })
  expect([reply.status, reply.messages[0]?.error?.code]).toEqual([400, -32020])
  expect(library.seen.slice(at)).toEqual([])
})

describe('a tool that stands for another', () => {
  const call = async (id: unknown, input: Fields = {}) =>
    modern('tools/call', { name: 'a__call_tool', arguments: { id, input } })

  it('has that one run, with its schema and its answer', async () => {
    expect((await call('probe:greet')).result).toMatchObject({ structuredContent: { greeting: 'hello' } })
    expect((await call('probe:strict', { n: 1 })).result).toMatchObject({ content: [{ text: 'ok' }] })
    expect((await call('probe:strict', { n: 'x' })).result).toMatchObject({
      isError: true,
      structuredContent: {
        error: { code: 'INVALID_INPUT', message: expect.stringContaining('probe:strict') },
      },
    })
    expect((await call('probe:fail')).result).toMatchObject({ isError: true })
  })

  it('is refused where it names none, or one that stands for others itself', async () => {
    expect((await call('probe:none')).error).toMatchObject({
      code: -32602,
      data: { weirCode: 'TOOL_NOT_FOUND' },
    })
    expect((await call(7)).error).toMatchObject({ code: -32602, data: { weirCode: 'INVALID_PARAMS' } })
    for (const id of ['a:call_tool', 'b:call_tool'])
      expect((await call(id, { id: 'probe:greet' })).error).toMatchObject({
        data: { weirCode: 'INVALID_PARAMS' },
      })
  })

  it('S6: resumes what it stood for, and nothing else', async () => {
    const asked = (await call('probe:ask')).result
    const answers = { requestState: asked?.['requestState'], inputResponses: {} }
    const again = (id: string) =>
      modern('tools/call', { name: 'a__call_tool', arguments: { id, input: {} }, ...answers })
    expect((await again('probe:greet')).error).toMatchObject({ code: -32602 })
    expect((await again('probe:ask')).result).toMatchObject({ structuredContent: { resume: 'round-1' } })
  })

  it('does so in the REST dialect too', async () => {
    const run = async (id: string) => {
      const tools = [{ tool_slug: 'a:call_tool', arguments: { id, input: {} } }]
      return JSON.parse((await gateway.send({ path: '/mcp/execute', body: { tools } })).text)
    }
    expect(await run('probe:greet')).toMatchObject({ successful: true })
    expect(await run('probe:none')).toMatchObject({
      successful: false,
      error_detail: { code: 'TOOL_NOT_FOUND' },
    })
  })
})
