import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLog, type LogSettings } from './log.ts'

function setUp(settings: Partial<LogSettings> = {}) {
  const written: string[] = []
  const log = createLog((line) => void written.push(line))
  log.configure({ level: 'info', format: 'json', redact: (line) => line, ...settings })
  return { log, written, parsed: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('a line', () => {
  it('is one JSON object with level, time, fields and message', () => {
    const { log, written, parsed } = setUp()
    log.info({ event: 'call.finished', ms: 1.5 }, 'A call ended.')
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        event: 'call.finished',
        ms: 1.5,
        msg: 'A call ended.',
      },
    ])
    expect(written[0]).toMatch(/^\{.*\}\n$/)
  })

  it('stays one line, whatever the fields hold', () => {
    const { log, written, parsed } = setUp()
    log.info({ tool: 'a\nb\r\u2028\u001b[31m"' }, 'A call ended.')
    for (const char of ['\n', '\r', '\u001b']) expect(written[0]!.trimEnd()).not.toContain(char)
    expect(parsed()[0]?.['tool']).toBe('a\nb\r\u2028\u001b[31m"')
  })

  it('for people is short: time, level, message, fields', () => {
    const { log, written } = setUp({ format: 'pretty' })
    log.warn({ tool: 'box:echo', ms: 3, cause: 'a\nb' }, 'The call failed.')
    expect(written[0]).toMatch(
      /^\d\d:\d\d:\d\d warn {2}The call failed\. tool="box:echo" ms=3 cause="a\\nb"\n$/,
    )
  })

  it('for people holds nothing that a terminal would obey', () => {
    const { log, written } = setUp({ format: 'pretty' })
    log.warn({ tool: 'box:a\u001b[2J\u009b2J' }, 'The call failed.')
    expect(written[0]).toContain('tool="box:a\\u001b[2J2J"\n')
  })

  it('is written for a field that holds itself', () => {
    const { log, parsed } = setUp()
    const circle: Record<string, unknown> = { name: 'circle' }
    circle['self'] = circle
    log.info({ circle }, 'A circle.')
    expect(parsed()[0]).toMatchObject({ msg: 'A circle.', circle: { name: 'circle' } })
  })
})

describe('levels', () => {
  const levels = ['debug', 'info', 'warn', 'error'] as const

  it.each<[LogSettings['level'], number]>([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ])('%s writes %i of the four', (level, count) => {
    const { log, parsed } = setUp({ level })
    for (const one of levels) log[one]({}, one)
    expect(parsed().map(({ msg }) => msg)).toEqual(levels.slice(4 - count))
    expect(log.isDebug).toBe(level === 'debug')
  })

  it('start at info, before the configuration is known, and can change at any time', () => {
    const written: string[] = []
    const log = createLog((line) => void written.push(line))
    log.debug({}, 'hidden')
    log.info({}, 'shown')
    log.configure({ level: 'debug', format: 'json', redact: (line) => line })
    log.debug({}, 'shown too')
    expect(written.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['shown', 'shown too'])
  })
})

describe('S16: secrets', () => {
  it.each([
    'password',
    'passwd',
    'token',
    'access_token',
    'GITHUB_TOKEN',
    'refreshToken',
    'secret',
    'client_secret',
    'apiKey',
    'api_key',
    'X-Api-Key',
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
    'Set-Cookie',
    'credentials',
    'sessionKey',
    'private_key',
    'passphrase',
  ])('under the key %s are not written, wherever it stands', (key) => {
    const { log, written } = setUp()
    log.info({ [key]: 'canary', deep: { list: [{ headers: { [key]: ['canary'] } }] } }, 'A call ended.')
    expect(written[0]).not.toContain('canary')
    expect(written[0]!.match(/\[redacted\]/g)).toHaveLength(2)
  })

  it.each(['tool', 'tokens', 'keyboard', 'secretary', 'author'])('are not seen in the key %s', (key) => {
    const { log, parsed } = setUp()
    log.info({ [key]: 'plain' }, 'A call ended.')
    expect(parsed()[0]?.[key]).toBe('plain')
  })

  it('hung on an error by a library are not written; its stack is', () => {
    const { log, written } = setUp()
    const error = Object.assign(new Error('ECONNRESET'), { config: { headers: { authorization: 'canary' } } })
    log.error({ err: error, inner: { cause: error } }, 'A request failed.')
    expect(written[0]).not.toContain('canary')
    expect(written[0]!.match(/Error: ECONNRESET\\n +at /g)).toHaveLength(2)
  })

  it('are not hidden by depth', () => {
    const { log, written } = setUp()
    let deep: object = { password: 'canary' }
    for (let i = 0; i < 50; i += 1) deep = { deep }
    log.info(deep, 'A call ended.')
    expect(written[0]).not.toContain('canary')
  })

  it.each(['json', 'pretty'] as const)('known by their value are not written, format %s', (format) => {
    const { log, written } = setUp({ format, redact: (line) => line.replaceAll('canary', '[redacted]') })
    log.info({ cause: 'connect to canary failed', canary: ['canary'] }, 'The canary sings.')
    expect(written).toHaveLength(1)
    expect(written[0]).not.toContain('canary')
  })

  it('that happen to be a number in a line do not keep it from being written', () => {
    const { log, written } = setUp({
      format: 'pretty',
      redact: (line) => line.replaceAll('2026', '[redacted]'),
    })
    log.info({ port: 2026 }, 'A port.')
    expect(written[0]).toContain('A port. port=[redacted]')
  })

  it('leave what they are told in as it was', () => {
    const { log } = setUp()
    const fields = {
      headers: { authorization: 'canary' },
      url: new URL('https://a.example'),
      at: new Date(0),
    }
    log.info(fields, 'A call ended.')
    expect(fields.headers.authorization).toBe('canary')
  })
})

describe('standard error', () => {
  const run = (mode: string) =>
    spawn(process.execPath, [join(import.meta.dirname, 'log.fixture.ts'), mode], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  it('has the last line of a process that ends at once, after a flush', async () => {
    const child = run('flush')
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => {
      text += String(chunk)
    })
    await once(child, 'close')
    expect(JSON.parse(text)).toMatchObject({ level: 'warn', msg: 'The last line.' })
  })

  it('that nobody reads costs lines, not memory', async () => {
    const child = run('flood')
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(Number(String(chunk))).toBeLessThan(200 * 1024 * 1024)
  })
})
