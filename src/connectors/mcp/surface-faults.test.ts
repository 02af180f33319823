import { describe, expect, it } from 'vitest'
import { Cancellation } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { toJsonSchema } from '../../core/schema.ts'
import type { Prompt, Target } from '../../core/tool.ts'
import { decodeHeaderValue } from '../../wire/headers.ts'
import { type Answers, startScripted } from './fixtures/scripted.fixture.ts'
import { createContext, failure, type Upstream, useUpstreams } from './fixtures/upstream.fixture.ts'

const { connect, closers } = useUpstreams()
const everything = { tools: {}, resources: {}, prompts: {}, completions: {} }

async function open(era: 'modern' | 'legacy', capabilities: object, answers: Answers) {
  const server = await startScripted(era, capabilities, answers)
  closers.push(() => server.close())
  const upstream = await connect(server.url, { era })
  return { upstream, server, seen: (method: string) => server.seen.filter((one) => one.method === method) }
}

const namesOf = ({ connection }: Upstream) => connection.targets().map(({ kind, name }) => `${kind} ${name}`)

function run(
  { connection }: Upstream,
  kind: Target['kind'],
  name: string,
  input: object,
  context = createContext(),
) {
  const target = connection.targets().find((one) => one.kind === kind && one.name === name)
  return (target as Prompt).run(input as Record<string, string>, context)
}

const oneOfEach: Answers = {
  'resources/list': () => ({ resources: [{ uri: 'a:1', name: 'A' }] }),
  'resources/templates/list': () => ({ resourceTemplates: [{ uriTemplate: 'a:{x}', name: 'T' }] }),
  'prompts/list': () => ({ prompts: [{ name: 'p' }] }),
}

describe.each(['modern', 'legacy'] as const)('the surface of a %s server', (era) => {
  it('keeps every field of a definition, and is read page by page', async () => {
    const extra = {
      icons: [{ src: 'a' }],
      annotations: { priority: 0.5 },
      _meta: { 'x/y': [1] },
      size: 9,
      new: {},
    }
    const paged =
      (member: string, key: string): Answers[string] =>
      ({ cursor }) =>
        cursor === undefined
          ? {
              [member]: [{ [key]: 'a:1', title: 'One', description: 'D', ...extra }, { no: key }],
              nextCursor: 'c',
            }
          : { [member]: [{ [key]: 'a:2' }, { [key]: 'a:1' }, { [key]: 'x'.repeat(5_000) }] }
    const { upstream } = await open(era, everything, {
      'resources/list': paged('resources', 'uri'),
      'resources/templates/list': paged('resourceTemplates', 'uriTemplate'),
      'prompts/list': paged('prompts', 'name'),
    })
    expect(namesOf(upstream)).toEqual([
      ...['resource a:1', 'resource a:2', 'resource-template a:1', 'resource-template a:2'],
      ...['resource-template {+uri}', 'prompt a:1', 'prompt a:2'],
    ])
    const firsts = upstream.connection.targets().filter(({ name }) => name === 'a:1')
    for (const first of firsts) {
      expect(first).toMatchObject({ title: 'One', description: 'D', effect: 'read', definition: extra })
    }
  })

  it('is asked only for what the server declares, and for its tools', async () => {
    const { upstream, server } = await open(era, {}, oneOfEach)
    expect(namesOf(upstream)).toEqual([])
    expect(server.seen.filter(({ method }) => method?.endsWith('/list')).map(({ method }) => method)).toEqual(
      ['tools/list'],
    )
    expect(upstream.connection.watch?.('a:1', () => {})).toBeUndefined()
  })

  it('lacks a list that the server does not know, and no other', async () => {
    const unknown = () => ({ error: { code: -32601, message: 'No such method' } })
    const answers = { ...oneOfEach, 'resources/templates/list': unknown, 'tools/list': unknown }
    const { upstream } = await open(era, { resources: {}, prompts: {} }, answers)
    expect(namesOf(upstream)).toEqual(['resource a:1', 'resource-template {+uri}', 'prompt p'])
    const targets = upstream.connection.targets()
    expect(targets.every((target) => !('completion' in target))).toBe(true)
  })

  it('loses one broken list, and no other', async () => {
    let broken = true
    const answers: Answers = {
      ...oneOfEach,
      'tools/list': () => (broken ? { tools: 'none' } : { tools: [{ name: 't' }] }),
      'prompts/list': () => ({ error: { code: -32603, message: 'Out of order' } }),
    }
    const { upstream } = await open(era, everything, answers)
    const rest = ['resource a:1', 'resource-template a:{x}', 'resource-template {+uri}']
    expect(namesOf(upstream)).toEqual(rest)
    broken = false
    await expect.poll(() => namesOf(upstream), { timeout: 10_000 }).toEqual(['tool t', ...rest])
  })

  it('cannot be opened where nothing of it can be read', async () => {
    const server = await startScripted(era, everything, { 'tools/list': () => ({ tools: 7 }) })
    closers.push(() => server.close())
    const error = await failure(connect(server.url, { era }))
    expect(error.message).toContain('list of tools is no list')
  })

  it('is open after two seconds though the server never answers for one list', async () => {
    const answers = { ...oneOfEach, 'prompts/list': () => undefined }
    const { upstream } = await open(era, everything, answers)
    expect(namesOf(upstream)).toHaveLength(3)
  })

  it('gives what a read answers whole, but for what was said to this hop', async () => {
    const blob = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256)).toString('base64')
    const contents = [
      {
        uri: 'a:1',
        blob,
        mimeType: 'x/y',
        annotations: { audience: ['user'] },
        _meta: { k: 1 },
        new: [null],
      },
      { uri: 'a:1/2', text: '\u0000ü😀' },
    ]
    const { upstream, seen } = await open(era, everything, {
      ...oneOfEach,
      'resources/read': () => ({
        ...{ contents, later: { field: true }, resultType: 'complete', ttlMs: 5, cacheScope: 'public' },
        _meta: { 'vendor/key': 1, 'io.modelcontextprotocol/serverInfo': { name: 'x' } },
      }),
    })
    const answer = await run(upstream, 'resource', 'a:1', { uri: 'a:1/ü' })
    expect(answer).toEqual({ contents, later: { field: true }, ttlMs: 5, _meta: { 'vendor/key': 1 } })
    const [{ headers, params } = expect.fail()] = seen('resources/read')
    expect(params['uri']).toBe('a:1/ü')
    const name = headers['mcp-name']
    if (era === 'modern') expect(decodeHeaderValue(String(name))).toBe('a:1/ü')
    else expect(name).toBeUndefined()
  })

  it('says what arguments a prompt takes, and sends these and its name', async () => {
    const declared = [
      { name: 'who', description: 'Who', required: true },
      { name: 'how' },
      { name: '__proto__' },
      7,
    ]
    const { upstream, seen } = await open(era, everything, {
      'prompts/list': () => ({ prompts: [{ name: 'p', arguments: declared }] }),
      'prompts/get': () => ({ messages: [], description: 'D', more: 1 }),
      'completion/complete': () => ({
        completion: { values: [{ value: 45, title: 'x' }], total: 1 },
        more: 1,
      }),
    })
    const prompt = upstream.connection.targets().find(({ kind }) => kind === 'prompt') as Prompt
    expect(toJsonSchema(prompt.input)).toEqual({
      type: 'object',
      properties: { who: { type: 'string', description: 'Who' }, how: { type: 'string' } },
      additionalProperties: { type: 'string' },
      required: ['who'],
    })
    expect(await prompt.run({ who: 'me' }, createContext())).toEqual({
      messages: [],
      description: 'D',
      more: 1,
    })
    expect(seen('prompts/get')[0]?.params).toMatchObject({ name: 'p', arguments: { who: 'me' } })
    expect(seen('prompts/get')[0]?.headers['mcp-name']).toBe(era === 'modern' ? 'p' : undefined)
    const input = { argument: { name: 'how', value: 'q' }, context: { arguments: { who: 'me' } } }
    expect(await prompt.completion?.run(input, createContext())).toEqual({
      completion: { values: [{ value: 45, title: 'x' }], total: 1 },
      more: 1,
    })
    const ref = { type: 'ref/prompt', name: 'p' }
    expect(seen('completion/complete')[0]?.params).toMatchObject({ ref, ...input })
  })

  it.each([
    ['resources/read', { contents: 'x' }],
    ['resources/read', { contents: ['x'] }],
    ['prompts/get', {}],
    ['completion/complete', { completion: { values: 'x' } }],
    ['prompts/get', { messages: [], resultType: 'odd' }],
  ])('answers %s in a form of its own: UPSTREAM_PROTOCOL', async (method, answer) => {
    const { upstream } = await open(era, everything, { ...oneOfEach, [method]: () => answer })
    const prompt = upstream.connection.targets().find(({ kind }) => kind === 'prompt') as Prompt
    const argument = { name: 'x', value: '' }
    const asked: Readonly<Record<string, () => Promise<unknown>>> = {
      'resources/read': () => run(upstream, 'resource', 'a:1', { uri: 'a:1' }),
      'prompts/get': () => run(upstream, 'prompt', 'p', {}),
      'completion/complete': async () => prompt.completion?.run({ argument }, createContext()),
    }
    const error = await failure((asked[method] as () => Promise<unknown>)())
    expect(error.code).toBe('UPSTREAM_PROTOCOL')
  })

  it.each([
    ['resource', -32002, 'Gone', undefined, 'RESOURCE_NOT_FOUND'],
    ['resource', -32602, 'Gone', { uri: 'a:1' }, 'RESOURCE_NOT_FOUND'],
    ['resource', -32602, 'MCP error -32602: Resource a:1 not found', undefined, 'RESOURCE_NOT_FOUND'],
    ['resource', -32602, 'Too long', undefined, 'UPSTREAM_ERROR'],
    ['resource', -32603, 'Disk not found', undefined, 'UPSTREAM_ERROR'],
    ['prompt', -32602, 'Prompt p not found', undefined, 'PROMPT_NOT_FOUND'],
    ['prompt', -32602, 'Unknown prompt: p', undefined, 'PROMPT_NOT_FOUND'],
    ['prompt', -32602, 'Missing required argument x', undefined, 'UPSTREAM_ERROR'],
    ['prompt', -32602, 'Argument x: file not found', undefined, 'UPSTREAM_ERROR'],
  ] as const)('fails a %s with %i %s %o as %5$s', async (kind, code, message, data, expected) => {
    const refuse = () => ({ error: { code, message, data } })
    const answers = { ...oneOfEach, 'resources/read': refuse, 'prompts/get': refuse }
    const { upstream } = await open(era, everything, answers)
    const [name, input] = kind === 'prompt' ? ['p', {}] : ['a:1', { uri: 'a:1' }]
    expect((await failure(run(upstream, kind, name, input))).code).toBe(expected)
  })

  it('R12: tells of the progress of a read, and is told when its caller leaves', async () => {
    let left = false
    const { upstream, seen } = await open(era, everything, {
      ...oneOfEach,
      'resources/read': ({ _meta }, response) => {
        response.once('close', () => (left = true))
        const { progressToken } = _meta as { progressToken: number }
        const told = { method: 'notifications/progress', params: { progressToken, progress: 1 } }
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...told })}\n\n`)
      },
    })
    const cancellation = new Cancellation()
    const emit = () => cancellation.cancel(new WeirError('CANCELLED', 'The caller left.'))
    const context = createContext({ signal: cancellation.signal, wantsProgress: true, emit })
    const error = await failure(run(upstream, 'resource', 'a:1', { uri: 'a:1' }, context))
    expect(error.code).toBe('CANCELLED')
    await expect.poll(() => left).toBe(true)
    const told = era === 'modern' ? 0 : 1
    await expect.poll(() => seen('notifications/cancelled')).toHaveLength(told)
  })
})

it('a legacy server that wants a URL visited first says so with its own code and data', async () => {
  const data = {
    elicitations: [{ mode: 'url', elicitationId: 'e', url: 'https://x.example/', message: 'Visit' }],
  }
  const { upstream } = await open('legacy', everything, {
    ...oneOfEach,
    'prompts/get': () => ({ error: { code: -32042, message: 'Visit first', data } }),
  })
  const error = await failure(run(upstream, 'prompt', 'p', {}))
  expect([error.code, error.data]).toEqual(['UPSTREAM_ERROR', { code: -32042, message: 'Visit first', data }])
})
