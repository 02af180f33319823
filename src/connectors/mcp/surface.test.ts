import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createFixtureState } from '../../../test/conformance/fixture/fixture-state.ts'
import { redPixelPng } from '../../../test/conformance/fixture/samples.ts'
import { serveHttp } from '../../../test/conformance/fixture/serve-http.ts'
import { InputRequired } from '../../core/outcome.ts'
import type { Completion, Prompt, Resource, ResourceTemplate, Target } from '../../core/tool.ts'
import { createContext, failure, openUpstream, type Upstream } from './fixtures/upstream.fixture.ts'

const entry = join(import.meta.dirname, '../../../test/conformance/fixture-server.ts')
const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const eras = ['legacy', 'modern'] as const
const ways = eras.flatMap((era) => (['HTTP', 'stdio'] as const).map((way) => ({ era, way })))

/** The fixture of the conformance suite, with everything a server can offer. */
async function open(way: 'HTTP' | 'stdio', era: 'legacy' | 'modern'): Promise<Upstream> {
  if (way === 'stdio') {
    const upstream = await openUpstream({ command: process.execPath, args: [entry, '--stdio'], era })
    closers.push(() => upstream.close())
    return upstream
  }
  const { url, server } = await serveHttp(createFixtureState(), 0)
  closers.push(async () => {
    server.close()
    server.closeAllConnections()
  })
  const upstream = await openUpstream({ url, allowPrivate: true, era })
  closers.push(() => upstream.close())
  return upstream
}

type OfKind<K extends Target['kind']> = Extract<Target, { kind: K }>

function ofKind<K extends Target['kind']>({ connection }: Upstream, kind: K): readonly OfKind<K>[] {
  return connection.targets().filter((target): target is OfKind<K> => target.kind === kind)
}

function find<K extends Target['kind']>(upstream: Upstream, kind: K, name: string): OfKind<K> {
  const found = ofKind(upstream, kind).find((target) => target.name === name)
  if (found === undefined) throw new Error(`The upstream has no ${kind} ${name}.`)
  return found
}

const read = (target: Resource | ResourceTemplate, uri = target.name) => target.run({ uri }, createContext())
const get = (prompt: Prompt, input = {}) => prompt.run(input, createContext())
const complete = (completion: Completion | undefined, name: string, value: string) =>
  completion?.run({ argument: { name, value } }, createContext())

describe.each(ways)('a $era server over $way', ({ era, way }) => {
  it('has its resources read: texts, and blobs byte for byte', async () => {
    const upstream = await open(way, era)
    const text = find(upstream, 'resource', 'test://static-text')
    expect(text).toMatchObject({
      effect: 'read',
      definition: { name: 'static-text', mimeType: 'text/plain' },
    })
    const content = 'This is the content of the static text resource.'
    expect(await read(text)).toMatchObject({
      contents: [{ uri: 'test://static-text', mimeType: 'text/plain', text: content }],
    })
    const binary = await read(find(upstream, 'resource', 'test://static-binary'))
    expect(binary).toMatchObject({
      contents: [{ uri: 'test://static-binary', mimeType: 'image/png', blob: redPixelPng }],
    })
  })

  it('has templates that match, complete and are read, and answers for what it never lists', async () => {
    const upstream = await open(way, era)
    const template = find(upstream, 'resource-template', 'test://template/{id}/data')
    expect(['test://template/7/data', 'test://template/7'].map(template.matches)).toEqual([true, false])
    expect(await read(template, 'test://template/7/data')).toMatchObject({
      contents: [{ uri: 'test://template/7/data', text: expect.stringContaining('Data for ID: 7') }],
    })
    expect(await complete(template.completion, 'id', '12')).toMatchObject({
      completion: { values: ['123', '124'] },
    })
    const unlisted = ofKind(upstream, 'resource-template').find(({ isUnlisted }) => isUnlisted)
    expect(unlisted?.matches('any:thing')).toBe(true)
    expect(await read(unlisted as ResourceTemplate, 'test://watched-resource')).toMatchObject({
      contents: [{ uri: 'test://watched-resource' }],
    })
    const error = await failure(read(unlisted as ResourceTemplate, 'test://nowhere/ü'))
    expect([error.code, error.data]).toEqual(['RESOURCE_NOT_FOUND', { uri: 'test://nowhere/ü' }])
  })

  it('has its prompts got and their arguments completed', async () => {
    const upstream = await open(way, era)
    const prompt = find(upstream, 'prompt', 'test_prompt_with_arguments')
    expect(await get(prompt, { arg1: 'ü', arg2: 'b' })).toEqual({
      messages: [
        { role: 'user', content: { type: 'text', text: "Prompt with arguments: arg1='ü', arg2='b'" } },
      ],
    })
    expect(await complete(prompt.completion, 'arg1', 'par')).toMatchObject({
      completion: { values: ['paris', 'park', 'party'] },
    })
    const error = await failure(get(prompt, { arg1: 'a' }))
    expect([error.code, error.data?.['code']]).toEqual(['UPSTREAM_ERROR', -32602])
  })

  it.each([
    ['tool', 'test_dynamic_tool'],
    ['resource', 'test://dynamic'],
    ['prompt', 'test_dynamic_prompt'],
  ] as const)('tells of a changed list of %ss, and the rest stays what it was', async (kind, name) => {
    const upstream = await open(way, era)
    const before = upstream.connection.targets()
    const has = () => upstream.connection.targets().some((target) => target.name === name)
    expect(has()).toBe(false)
    const toggle = async () => {
      if (!has()) await upstream.call(`test_trigger_${kind}_change`)
      return has()
    }
    // The stream of news may not be there yet, and what nobody listens to is told to nobody.
    await expect.poll(toggle, { interval: 500, timeout: 10_000 }).toBe(true)
    const now = upstream.connection.targets()
    expect(before.every((target) => now.includes(target))).toBe(true)
  })

  it('tells who watches a resource that it has changed, until that ends', async () => {
    const upstream = await open(way, era)
    const news: string[] = []
    const watch = (who: string) =>
      upstream.connection.watch?.('test://watched-resource', () => news.push(who))
    const first = watch('first')
    const second = watch('second')
    const uri = 'test://watched-resource'
    const update = async () => {
      await upstream.call('test_trigger_resource_update', { uri })
      return news.includes('second')
    }
    await expect.poll(update, { interval: 200, timeout: 10_000 }).toBe(true)
    expect(news).toContain('first')
    second?.dispose()
    second?.dispose()
    const seconds = news.filter((who) => who === 'second').length
    const firsts = news.length - seconds
    await update()
    await expect.poll(() => news.filter((who) => who === 'first').length).toBeGreaterThan(firsts)
    expect(news.filter((who) => who === 'second')).toHaveLength(seconds)
    first?.dispose()
  })
})

it('a modern prompt may ask its caller first', async () => {
  const upstream = await open('HTTP', 'modern')
  const prompt = find(upstream, 'prompt', 'test_input_required_result_prompt')
  const clientCapabilities = { elicitation: { form: {} } }
  const asked = await prompt.run({}, createContext({ clientCapabilities }))
  expect(asked).toBeInstanceOf(InputRequired)
  const { resume } = asked as InputRequired
  const responses = { user_context: { action: 'accept', content: { context: 'here' } } }
  const answers = resume === undefined ? { responses } : { responses, resume }
  expect(await prompt.run({}, createContext({ clientCapabilities, answers }))).toMatchObject({
    messages: [{ content: { text: 'Context: here' } }],
  })
})

it('the reference server, on SDK v1, has everything it lists read, got and completed', async () => {
  const everything = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-everything/dist/index.js',
  )
  const upstream = await openUpstream({ command: process.execPath, args: [everything, 'stdio'] })
  closers.push(() => upstream.close())
  const resources = ofKind(upstream, 'resource')
  expect(resources.length).toBeGreaterThan(3)
  for (const resource of resources) {
    expect(await read(resource)).toMatchObject({
      contents: [{ uri: resource.name, text: expect.any(String) }],
    })
  }
  const [text, blob] = ofKind(upstream, 'resource-template')
  const uri = 'demo://resource/dynamic/blob/1'
  expect([text?.matches(uri), blob?.matches(uri)]).toEqual([false, true])
  expect(await read(blob as ResourceTemplate, uri)).toMatchObject({
    contents: [{ uri, blob: expect.any(String) }],
  })
  const error = await failure(read(blob as ResourceTemplate, 'demo://nothing'))
  expect(error.code).toBe('RESOURCE_NOT_FOUND')
  const prompt = find(upstream, 'prompt', 'args-prompt')
  expect(await get(prompt, { city: 'Bonn' })).toMatchObject({
    messages: [{ content: { text: expect.stringContaining('Bonn') } }],
  })
  const { completion } = find(upstream, 'prompt', 'completable-prompt')
  expect(await complete(completion, 'department', 'Eng')).toMatchObject({
    completion: { values: ['Engineering'] },
  })
})
