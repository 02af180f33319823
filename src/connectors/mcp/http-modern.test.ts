import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { InputRequired } from '../../core/outcome.ts'
import { callsOf, createContext, failure, useUpstreams } from './fixtures/upstream.fixture.ts'

const { start, connect } = useUpstreams()

describe('a modern server', () => {
  it('gets what the client can do, but for tasks, which Weir cannot carry', async () => {
    const server = await start({ era: 'modern' })
    const upstream = await connect(server.url)
    const extensions = { 'io.modelcontextprotocol/tasks': {}, 'io.modelcontextprotocol/ui': {} }
    await upstream.call('echo', {}, { clientCapabilities: { elicitation: {}, extensions } })
    expect(callsOf(server)[0]?.params['_meta']).toMatchObject({
      'io.modelcontextprotocol/clientCapabilities': {
        elicitation: {},
        extensions: { 'io.modelcontextprotocol/ui': {} },
      },
    })
  })

  it('may ask its caller first, and gets answers and state back', async () => {
    const questions = { who: { method: 'elicitation/create', params: { message: 'Who?' } } }
    const server = await start({
      era: 'modern',
      tools: [
        {
          name: 'ask',
          run: ({ params }) =>
            params['inputResponses'] === undefined
              ? { resultType: 'input_required', inputRequests: questions, requestState: 'sealed' }
              : { resultType: 'complete', content: [], structuredContent: params },
        },
      ],
    })
    const upstream = await connect(server.url)
    const asked = await upstream.call('ask')
    expect(asked).toEqual(new InputRequired(questions, 'sealed'))
    const answers = { responses: { who: { action: 'accept', content: { name: 'Ada' } } }, resume: 'sealed' }
    expect(await upstream.call('ask', {}, { answers })).toMatchObject({
      structuredContent: { inputResponses: answers.responses, requestState: 'sealed' },
    })
  })

  it('that answers with an unknown kind of result is UPSTREAM_PROTOCOL', async () => {
    const server = await start({
      era: 'modern',
      tools: [{ name: 'odd', run: () => ({ resultType: 'task' }) }],
    })
    const upstream = await connect(server.url)
    const error = await failure(upstream.call('odd'))
    expect([error.code, error.message]).toEqual(['UPSTREAM_PROTOCOL', expect.stringContaining('"task"')])
  })

  it('that misses a capability says which', async () => {
    const server = await start({
      era: 'modern',
      intercept: ({ method }, response) => {
        if (method !== 'tools/call') return undefined
        const error = {
          code: -32021,
          message: 'Needs elicitation',
          data: { requiredCapabilities: { elicitation: {} } },
        }
        response.writeHead(400, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ jsonrpc: '2.0', error }))
        return true
      },
    })
    const upstream = await connect(server.url)
    const error = await failure(upstream.call('echo'))
    expect([error.code, error.data]).toEqual([
      'MISSING_CAPABILITY',
      { requiredCapabilities: { elicitation: {} } },
    ])
  })

  const region = { type: 'string', 'x-mcp-header': 'Region' }

  it('gets parameters in headers where its schema asks for it', async () => {
    const inputSchema = {
      type: 'object',
      properties: { region, n: { type: 'integer', 'x-mcp-header': 'N' } },
    }
    const server = await start({ era: 'modern', tools: [{ name: 'größe', inputSchema }] })
    const upstream = await connect(server.url)
    await upstream.call('größe', { region: 'ä\nb', n: 3 })
    await upstream.call('größe', { region: null })
    const [full, empty] = callsOf(server).map(({ headers }) => headers)
    expect(full).toMatchObject({ 'mcp-param-region': '=?base64?w6QKYg==?=', 'mcp-param-n': '3' })
    expect(full?.['mcp-name']).toMatch(/^=\?base64\?/)
    expect(empty).not.toHaveProperty('mcp-param-region')
  })

  it('has a tool with a broken header annotation left out, and the others served', async () => {
    const broken = { type: 'object', properties: { a: { type: 'array', items: region } } }
    const warnings: object[] = []
    const log = { ...silentLogger, warn: (fields: object) => warnings.push(fields) }
    const server = await start({
      era: 'modern',
      tools: [{ name: 'broken', inputSchema: broken }, { name: 'fine' }],
    })
    const upstream = await connect(server.url, {}, { log })
    expect(upstream.connection.targets().map(({ name }) => name)).toEqual(['fine'])
    expect(warnings).toEqual([
      { noun: 'tool', count: 1, name: 'broken', why: expect.stringContaining('x-mcp-header') },
    ])
  })

  it('that changed which parameters travel in headers is asked again once, with the new ones', async () => {
    const server = await start({ era: 'modern', tools: [{ name: 'move', inputSchema: { type: 'object' } }] })
    const upstream = await connect(server.url)
    const stale = upstream.tool('move')
    const inputSchema = { type: 'object', properties: { region } }
    server.setTools([{ name: 'move', inputSchema, run: () => ({ resultType: 'complete', content: [] }) }])
    expect(await stale.run({ region: 'eu' }, createContext())).toEqual({ content: [] })
    expect(callsOf(server)).toHaveLength(2)
  })
})
