import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createWorld,
  type DialectServer,
  echo,
  failure,
  find,
  json,
  run,
  startDialectServer,
  toolsOf,
} from './dialect-server.fixture.ts'

let world: ReturnType<typeof createWorld>
let server: DialectServer
let baseDir: string
beforeEach(async () => {
  world = createWorld()
  server = await startDialectServer()
  baseDir = mkdtempSync(join(tmpdir(), 'weir-definitions-'))
})
afterEach(async () => {
  await world.close()
  server.close()
  rmSync(baseDir, { recursive: true, force: true })
})

const own = { ...echo, id: 'files:echo' }
const write = (value: unknown, file = 'mail.json') =>
  writeFileSync(join(baseDir, file), typeof value === 'string' ? value : JSON.stringify(value))
const open = (more: Record<string, unknown> = {}) =>
  world.open({ url: server.url, discover: false, definitions: ['./mail.json'], ...more }, { baseDir })

describe('D4-033: definitions in files', () => {
  it('D4-032, D4-033: are tools of the server, though nobody asked it', async () => {
    const policies = { requires_confirmation: true, rate_limit: '10/hour', permissions: ['mail'] }
    write([own, { ...own, name: 'send', id: 'files:send', category: 'mail', ...policies, output_schema: {} }])
    const connection = await open()
    expect([server.seen, world.clock.pendingMs]).toEqual([[], []])
    expect(toolsOf(connection).map(({ name, category }) => [name, category])).toEqual([
      ['echo', 'general'],
      ['send', 'mail'],
    ])
    expect(find(connection, 'send').definition?.['_meta']).toEqual({
      'weir/definition': { id: 'files:send', category: 'mail', ...policies },
    })
    server.answer = json({ successful: true, data: { results: [{ tool_slug: 'echo', response: 1 }] } })
    expect(await run(connection, 'echo')).toEqual({ structuredContent: 1 })
  })

  it('go before what the server says of a tool of the same name', async () => {
    write({ ...own, description: 'Ours.' })
    server.discovery = {
      server_name: 'mail',
      tools: [
        { ...echo, name: 'first' },
        { ...echo, description: 'Theirs.' },
      ],
    }
    const connection = await open({ discover: true })
    expect(toolsOf(connection).map(({ description }) => description)).toEqual(['Ours.', 'Says it again.'])
  })

  it.each([
    ['id', 'id: '],
    ['name', 'name: '],
    ['description', 'description: '],
    ['input_schema', 'input_schema: '],
  ])('D4-033: need %s', async (field, message) => {
    write({ ...own, [field]: undefined })
    const error = await failure(open())
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(
      `./mail.json, tool ${field === 'name' ? 'without a name' : 'echo'}: ${message}`,
    )
  })

  it.each([
    ['an unknown key', { ...own, requires_conformation: true }, /"requires_conformation"/],
    [
      'a confirmation that is no boolean',
      { ...own, requires_confirmation: 'yes' },
      /requires_confirmation: /,
    ],
    ['a limit that is no text', { ...own, rate_limit: 10 }, /rate_limit: /],
    ['permissions that are no list', { ...own, permissions: 'mail' }, /permissions: /],
    ['no object', 7, /expected object/],
    ['no JSON', '{', /cannot be read: The body is not valid JSON/],
    ['the same tool twice', [own, own], /defines the tool echo again/],
  ])('D4-033: are refused with %s', async (_what, value, message) => {
    write(value as object)
    const error = await failure(open())
    expect([error.code, error.message]).toEqual(['CONFIG_INVALID', expect.stringMatching(message)])
  })

  it.each([
    ['a type there is not', { type: 'objekt' }, '/type'],
    [
      'a wrong keyword far down',
      { properties: { to: { items: { minLength: -1 } } } },
      '/properties/to/items/minLength',
    ],
    [
      'a dialect that is not supported',
      { $schema: 'http://json-schema.org/draft-04/schema#' },
      'the dialect',
    ],
    [
      '2020-12, and valid as Draft-7 alone',
      { $schema: 'https://json-schema.org/draft/2020-12/schema', items: [{}] },
      '/items',
    ],
  ])('D4-033: say `Invalid JSON Schema` of %s', async (_what, schema, where) => {
    write({ ...own, input_schema: schema })
    const error = await failure(open())
    expect(error.message).toMatch(/^Invalid JSON Schema: \.\/mail\.json, tool echo: input_schema: /)
    expect(error.message).toContain(where)
  })

  it.each([
    ['2020-12', { prefixItems: [{}] }, undefined],
    [
      'Draft-7 that says so',
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      'http://json-schema.org/draft-07/schema#',
    ],
    [
      'Draft-7 that does not',
      { properties: { a: { items: [{}] } } },
      'http://json-schema.org/draft-07/schema#',
    ],
  ])('D4-033: may be %s, and are read as that', async (_what, schema, dialect) => {
    write({ ...own, input_schema: schema })
    const { definition } = find(await open(), 'echo')
    expect(definition?.['inputSchema']).toMatchObject({ type: 'object', ...schema })
    expect((definition?.['inputSchema'] as { $schema?: string }).$schema).toBe(dialect)
  })

  it('D4-011: may be the document’s own, as the example has it', async () => {
    const example = join(import.meta.dirname, '../../../examples/rest-dialect')
    const config = { url: server.url, discover: false, definitions: ['mail-tools.json'] }
    const connection = await world.open(config, { baseDir: example })
    expect(find(connection, 'send_email').definition).toMatchObject({
      inputSchema: { required: ['to', 'subject', 'body'] },
      _meta: { 'weir/definition': { requires_confirmation: true, rate_limit: '10/hour' } },
    })
  })

  it('are bounded: a file of 4 MiB, 100 files, and nothing but files', async () => {
    write('')
    truncateSync(join(baseDir, 'mail.json'), 4 * 1024 * 1024 + 1)
    expect((await failure(open())).message).toContain('it has more than 4194304 bytes')
    expect((await failure(open({ definitions: ['.'] }))).message).toContain('it is not a file')
    expect((await failure(open({ definitions: ['nowhere.json'] }))).message).toContain('ENOENT')
    expect(() =>
      world.connector.config.parse({ url: server.url, definitions: Array(101).fill('a') }),
    ).toThrow('100')
  })
})
