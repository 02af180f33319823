import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallEvent } from '../../core/event.ts'
import { InputRequired, type Result } from '../../core/outcome.ts'
import { describeConnector } from '../../testing/describe-connector.ts'
import { type SdkHttpServer, startSdkV1, startSdkV2 } from './fixtures/sdk-http.fixture.ts'
import { createConnector, openUpstream, useUpstreams } from './fixtures/upstream.fixture.ts'

const fixtures = join(import.meta.dirname, 'fixtures')
const everything = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
)
const { connector, egress } = createConnector({})
const { closers, connect } = useUpstreams()

afterAll(() => egress.close())

function runFixture(name: string, ...args: string[]): object {
  return { command: process.execPath, args: [join(fixtures, `${name}.fixture.ts`), ...args] }
}

describeConnector(connector, {
  config: () => ({ ...runFixture('raw-stdio'), env: { TOKEN: 'canary-secret' } }),
  deadConfig: () => ({
    url: 'http://127.0.0.1:9/mcp',
    allowPrivate: true,
    headers: { 'x-key': 'canary-secret' },
  }),
  badConfigs: [
    { config: {}, field: 'command' },
    { config: { command: 'node', url: 'http://127.0.0.1/mcp' }, field: 'url' },
    { config: { url: 'ftp://127.0.0.1/mcp' }, field: 'url' },
    { config: { url: 'http://127.0.0.1/mcp', args: ['x'] }, field: 'args' },
    { config: { url: 'http://127.0.0.1/mcp', headers: { 'a b': 'canary-secret' } }, field: 'headers.a b' },
    { config: { url: 'http://127.0.0.1/mcp', headers: { a: 'canary-secret\r\nb: c' } }, field: 'headers.a' },
    { config: { url: 'http://127.0.0.1/mcp', headers: { Host: 'canary-secret' } }, field: 'headers.Host' },
    { config: { command: 'node', headers: { a: 'canary-secret' } }, field: 'headers' },
    { config: { command: 'node', timeout: 0 }, field: 'timeout' },
    { config: { command: 'node', shell: true }, field: 'shell' },
  ],
  secret: 'canary-secret',
  slowCall: { tool: 'wait', input: {} },
  ownTools: false,
})

describe('SDK servers', () => {
  const servers: SdkHttpServer[] = []
  beforeAll(async () => {
    servers.push(await startSdkV1(), await startSdkV2('stateless'), await startSdkV2('reject'))
  })
  afterAll(() => Promise.all(servers.map((server) => server.close())))

  const cases: readonly (readonly [string, () => object, 'modern' | 'legacy'])[] = [
    ['v1 over stdio', () => runFixture('sdk-v1-stdio'), 'legacy'],
    ['v2 over stdio', () => runFixture('sdk-v2-stdio'), 'modern'],
    ['v2 over stdio, modern only', () => runFixture('sdk-v2-stdio', 'modern-only'), 'modern'],
    ['v2 over stdio, told to be legacy', () => ({ ...runFixture('sdk-v2-stdio'), era: 'legacy' }), 'legacy'],
    ['v1 over HTTP', () => ({ url: servers[0]?.url, allowPrivate: true }), 'legacy'],
    ['v2 over HTTP', () => ({ url: servers[1]?.url, allowPrivate: true }), 'modern'],
    ['v2 over HTTP, modern only', () => ({ url: servers[2]?.url, allowPrivate: true }), 'modern'],
    [
      'v2 over HTTP, told to be legacy',
      () => ({ url: servers[1]?.url, allowPrivate: true, era: 'legacy' }),
      'legacy',
    ],
  ]

  describe.each(cases)('%s', (title, config, era) => {
    it('are listed, called and checked', async () => {
      const upstream = await openUpstream(config())
      closers.push(() => upstream.close())
      expect(upstream.connection.targets().map(({ name }) => name)).toEqual(
        expect.arrayContaining(['echo', 'steps']),
      )
      expect(await upstream.call('echo', { text: 'grüße' })).toEqual({
        content: [{ type: 'text', text: 'grüße' }],
      })
      await upstream.connection.check(new AbortController().signal)
    })

    it('tell their progress and log', async () => {
      const upstream = await openUpstream(config())
      closers.push(() => upstream.close())
      const events: CallEvent[] = []
      const emit = (event: CallEvent) => events.push(event)
      await upstream.call('steps', { count: 3 }, { wantsProgress: true, logLevel: 'info', emit })
      const progress = events.filter(({ kind }) => kind === 'progress')
      expect(progress).toEqual([1, 2, 3].map((step) => ({ kind: 'progress', progress: step })))
      // Over legacy HTTP these servers send their log on a stream that belongs to no call.
      if (era === 'modern' || title.includes('stdio'))
        expect(events.at(-1)).toEqual({ kind: 'log', level: 'info', data: 'done' })
    })

    it('refuse wrong arguments in their own words', async () => {
      const upstream = await openUpstream(config())
      closers.push(() => upstream.close())
      const refused = await upstream.call('echo', { text: 7 }).catch((error: Error) => error)
      const words = refused instanceof Error ? refused.message : JSON.stringify(refused)
      expect(words).toMatch(/expected string/i)
    })

    // Questions belong to the modern era; a legacy server is asked for none.
    if (era !== 'modern') return

    it('ask their caller, and take the answer', async () => {
      const upstream = await openUpstream(config())
      closers.push(() => upstream.close())
      const clientCapabilities = { elicitation: { form: {} } }
      const asked = (await upstream.call('greet', {}, { clientCapabilities })) as InputRequired
      expect(asked).toBeInstanceOf(InputRequired)
      expect(asked.questions).toMatchObject({ who: { method: 'elicitation/create' } })
      const responses = { who: { action: 'accept', content: { name: 'Ada' } } }
      const answers = { responses, resume: asked.resume ?? '' }
      expect(await upstream.call('greet', {}, { clientCapabilities, answers })).toEqual({
        content: [{ type: 'text', text: 'Hello Ada' }],
      })
    })

    it('say which capability a question lacks', async () => {
      const upstream = await openUpstream(config())
      closers.push(() => upstream.close())
      const error = await upstream.call('greet').catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'MISSING_CAPABILITY',
        data: { requiredCapabilities: { elicitation: expect.anything() } },
      })
    })
  })

  it('v2 over stdio tells of its changed tools on a subscription', async () => {
    const upstream = await openUpstream(runFixture('sdk-v2-stdio'))
    closers.push(() => upstream.close())
    const changed = new Promise<void>((resolve) => upstream.connection.onChange?.(resolve))
    await upstream.call('add')
    await changed
    expect(upstream.tool('added').name).toBe('added')
  })
})

describe('the reference server', () => {
  it('over stdio is served whole: images, links, structured content, schemas', async () => {
    const upstream = await openUpstream({ command: process.execPath, args: [everything, 'stdio'] })
    closers.push(() => upstream.close())
    expect(upstream.connection.targets().length).toBeGreaterThan(10)
    const image = (await upstream.call('get-tiny-image')) as Result
    expect(image.content?.find(({ type }) => type === 'image')).toMatchObject({ mimeType: 'image/png' })
    const weather = (await upstream.call('get-structured-content', { location: 'Chicago' })) as Result
    expect(weather.structuredContent).toMatchObject({ temperature: expect.any(Number) })
    expect(upstream.tool('get-structured-content').output).toBeDefined()
  })

  it('R7: over HTTP heals a restart of the whole server', { timeout: 30_000 }, async () => {
    const port = await freePort()
    let child = await startEverything(port)
    const upstream = await connect(`http://127.0.0.1:${port}/mcp`)
    for (let restart = 0; restart < 3; restart += 1) {
      expect(await upstream.call('echo', { message: 'x' })).toEqual({
        content: [{ type: 'text', text: 'Echo: x' }],
      })
      child.kill()
      await once(child, 'exit')
      child = await startEverything(port)
    }
    expect(await upstream.call('echo', { message: 'y' })).toEqual({
      content: [{ type: 'text', text: 'Echo: y' }],
    })
    await upstream.close()
    child.kill()
  })
})

async function startEverything(port: number) {
  const env = { PATH: '/usr/bin:/bin', PORT: String(port) }
  const child = spawn(process.execPath, [everything, 'streamableHttp'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await once(child.stderr, 'data')
  return child
}

async function freePort(): Promise<number> {
  const server = await startSdkV1()
  await server.close()
  return Number(new URL(server.url).port)
}
