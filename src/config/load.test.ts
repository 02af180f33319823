import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WeirError } from '../core/error.ts'
import { connectors, lines, parse } from './load.fixture.ts'
import { loadConfig } from './load.ts'

describe('a valid file', () => {
  it('is checked, defaulted and typed', () => {
    const text = [
      'connections:',
      '  db: { type: sql, databases: { a: "sqlite:./a.db", b: { url: "${URL}", write: true } } }',
      'policies:',
      '  "db:*": { timeout: 2m }',
      '  "*": { timeout: 1500 }',
      '  "*:send": {}',
      'server: { port: 0, allowedHosts: [weir.example], allowedOrigins: ["https://app.example"] }',
    ].join('\n')
    const loaded = parse(text, { URL: 'postgres://h/db' })
    expect(loaded.config.connections['db']).toEqual({
      type: 'sql',
      config: { databases: { a: 'sqlite:./a.db', b: { url: 'postgres://h/db', write: true } } },
    })
    expect(loaded.config.policies).toEqual({
      'db:*': { timeoutMs: 120_000 },
      '*': { timeoutMs: 1_500 },
      '*:send': {},
    })
    expect(Object.keys(loaded.config.policies)).toEqual(['db:*', '*', '*:send'])
    expect(loaded.config.server).toEqual({
      host: '127.0.0.1',
      port: 0,
      callsMax: 4_096,
      allowedHosts: ['weir.example'],
      allowedOrigins: ['https://app.example'],
      rateLimit: [],
    })
    expect(loaded.config.log).toEqual({ level: 'info', format: 'json' })
    expect([loaded.path, loaded.baseDir, loaded.warnings]).toEqual(['/etc/weir/weir.yaml', '/etc/weir', []])
  })

  it.each([
    ['empty', ''],
    ['a comment', '# nothing'],
    ['null', 'null'],
    ['an empty object', '{}'],
  ])('may be %s, with a warning', (_, text) => {
    const { config, warnings } = parse(text)
    expect(config.connections).toEqual({})
    expect(warnings).toEqual(['/etc/weir/weir.yaml:1:1 no connections: there will be no tools'])
  })

  it('has no connection that nobody configured', () => {
    expect(parse('{}').config.connections['constructor']).toBeUndefined()
    expect(Object.keys(parse('connections: { constructor: { type: sql } }').config.connections)).toEqual([
      'constructor',
    ])
  })

  it('says of any connection when it starts, which its connector never sees', () => {
    const text =
      'connections: { a: { type: sql, start: lazy, idleTimeout: 5m }, b: { type: mcp, command: x, start: "${WHEN}" }, c: { type: sql } }'
    const { connections } = parse(text, { WHEN: 'eager' }).config
    expect(connections['a']).toEqual({
      type: 'sql',
      config: expect.not.objectContaining({ start: 'lazy' }),
      isLazy: true,
      idleMs: 300_000,
    })
    expect([connections['b']?.isLazy, connections['c']?.isLazy]).toEqual([undefined, undefined])
    expect(lines('connections: { a: { type: sql, start: lasy } }')).toEqual([
      '1:39 connections.a.start: expected one of "eager", "lazy", got "lasy"; did you mean "lazy"?',
    ])
  })

  it('may repeat values by alias', () => {
    const text = 'connections:\n  a: &a { type: sql, auth: "${KEY}" }\n  b: *a'
    const { config } = parse(text, { KEY: 'k-1234' })
    expect(config.connections['b']).toEqual(config.connections['a'])
  })

  it('S13: says of any connection how its definitions are pinned, which its connector never sees', () => {
    const text =
      'connections: { a: { type: mcp, command: x, pinning: "${MODE}", trustFirst: "${FIRST}" }, b: { type: sql } }'
    const { config, secrets } = parse(text, { MODE: 'quarantine', FIRST: 'false' })
    expect(config.connections['a']).toEqual({
      type: 'mcp',
      config: { command: 'x', args: [] },
      pinning: 'quarantine',
      trustFirst: false,
    })
    expect(config.connections['b']).toEqual({ type: 'sql', config: { databases: {} } })
    expect(secrets.redact('a quarantine')).toBe('a quarantine')
    expect(lines('connections: { a: { type: sql, pinning: quarantin } }')).toEqual([
      '1:41 connections.a.pinning: expected one of "allow", "warn", "quarantine", got "quarantin"; did you mean "quarantine"?',
    ])
  })

  it('warns of policies for connections that are not there', () => {
    const text = 'connections: { database: { type: sql } }\npolicies: { "databse:*": {}, "*:x": {} }'
    expect(parse(text).warnings).toEqual([
      '/etc/weir/weir.yaml:2:13 policies."databse:*": no connection is named "databse"; did you mean "database"?',
    ])
  })
})

describe('scalars out of references', () => {
  const port = (text: string, env: Record<string, string>) =>
    parse(`server:\n  port: ${text}`, env).config.server.port

  it.each([
    ['plain', '${PORT}', { PORT: '8123' }],
    ['quoted, as in JSON', '"${PORT}"', { PORT: '8123' }],
    ['by default', '"${PORT:-8123}"', {}],
    ['hexadecimal', '"${PORT}"', { PORT: '0x1fbb' }],
  ])('are numbers where numbers are wanted: %s', (_, text, env) => {
    expect(port(text, env)).toBe(8123)
  })

  it('are booleans, and deep inside alternatives', () => {
    const text =
      'connections: { db: { type: sql, databases: { a: { url: "${P}", write: "${W}", pool: "${P}" } } } }'
    expect(parse(text, { W: 'true', P: '7' }).config.connections['db']?.config).toEqual({
      databases: { a: { url: '7', write: true, pool: 7 } },
    })
  })

  it.each([
    ['', '1:17 server.port: expected number, got a string'],
    ['8000x', '1:17 server.port: expected number, got a string'],
    ['70000', '1:17 server.port: too big: expected number to be <=65535'],
    ['{a: 1}', '1:17 server.port: expected number, got a string'],
  ])('stay strings otherwise: %j', (PORT, line) => {
    expect(lines('server: { port: "${PORT}" }', { PORT })).toEqual([line])
  })

  it('are not read again when other text surrounds them', () => {
    expect(lines('server: { port: "1${P}" }', { P: '1' })).toEqual([
      '1:17 server.port: expected number, got a string',
    ])
  })

  it('cannot bring structure in', () => {
    const { config } = parse('connections: { db: { type: sql, auth: "${X}" } }', {
      X: '{ bearer: x }\nb: *a',
    })
    expect(config.connections['db']?.config).toMatchObject({ auth: '{ bearer: x }\nb: *a' })
  })
})

describe('S16: what a valid file keeps secret', () => {
  const text = `connections:
  db: { type: sql, databases: { a: { url: "postgres://u:\${PW}@h/d", mode: "\${MODE}", pool: "\${POOL}" } } }
  api: { type: sql, auth: { bearer: "literal-bearer" } }
  own: { type: sql, auth: "\${file:key}", databases: { d: "redis://:p%40ss-word@r" , e: "\${UNSET:-in-clear}" } }
server: { host: "\${HOST}", sessionKey: "0123456789abcdef0123456789abcdef" }
`
  const env = { PW: 'pw-of-env', MODE: 'rw', POOL: '10', HOST: 'host.example' }
  const { secrets } = parse(text, env, { '/etc/weir/key': 'key-of-file\n' })

  it.each([
    'pw-of-env',
    'postgres://u:pw-of-env@h/d',
    'literal-bearer',
    'key-of-file',
    'p%40ss-word',
    'p@ss-word',
    '0123456789abcdef0123456789abcdef',
  ])('%s', (secret) => {
    expect(secrets.redact(`<${secret}>`)).toBe('<[redacted]>')
  })

  it.each(['host.example', 'in-clear', 'postgres', 'rw', '10'])('but not %s', (word) => {
    expect(secrets.redact(`<${word}>`)).toBe(`<${word}>`)
  })
})

describe('loadConfig', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-config-'))
    mkdirSync(join(folder, 'secrets'))
    writeFileSync(join(folder, 'secrets', 'key'), 'key-of-file\n')
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const load = (name: string) => loadConfig({ path: join(folder, name), env: {}, connectors })

  it('resolves files from the config’s folder', async () => {
    writeFileSync(join(folder, 'weir.yaml'), 'connections: { a: { type: sql, auth: "${file:secrets/key}" } }')
    const loaded = await load('weir.yaml')
    expect(loaded.config.connections['a']?.config).toMatchObject({ auth: 'key-of-file' })
    expect([loaded.baseDir, loaded.path]).toEqual([folder, join(folder, 'weir.yaml')])
    expect(loaded.secrets.redact('key-of-file')).toBe('[redacted]')
  })

  it('says when there is no file, and what to do', async () => {
    const error = await load('absent.yaml').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'CONFIG_NOT_FOUND', hint: expect.stringContaining('weir init') })
    expect((error as WeirError).message).toContain(join(folder, 'absent.yaml'))
    await expect(load('secrets')).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND', message: /is a folder/ })
  })

  it('refuses what is too large or not text, and files too large to be a secret', async () => {
    writeFileSync(join(folder, 'large.yaml'), ' '.repeat(1024 * 1024 + 1))
    writeFileSync(join(folder, 'binary.yaml'), new Uint8Array([0xff, 0xfe]))
    writeFileSync(join(folder, 'secrets', 'large'), 'x'.repeat(64 * 1024 + 1))
    writeFileSync(join(folder, 'weir2.yaml'), 'log: { level: "${file:secrets/large}" }')
    await expect(load('large.yaml')).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: /1024 KiB/ })
    await expect(load('binary.yaml')).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: /UTF-8/ })
    await expect(load('weir2.yaml')).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: /64 KiB/ })
  })
})
