import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WeirError } from '../core/error.ts'
import { lines, parse, refusal } from './load.fixture.ts'

describe('S16: no secret is in any error', () => {
  const canary = 'canary-5e3b1f'
  it.each([
    ['a type', 'connections: { a: { type: "${S}" } }'],
    ['a mapping', 'connections: { a: { type: sql, databases: "${S}" } }'],
    ['a number', 'server: { port: "${S}" }'],
    ['a listed word', 'log: { level: "x${S}" }'],
    ['a duration', 'policies: { "*": { timeout: "${S}" } }'],
    ['an origin', 'server: { allowedOrigins: ["${S}"] }'],
    ['a session key', 'server: { sessionKey: "${S}" }'],
    ['a file', 'connections: { a: { type: sql, auth: "${file:${S}}" } }'],
    ['a connector’s own words', 'connections: { a: { type: by-hand, key: "${S}" } }'],
    ['a URL’s password', `connections: { a: { type: by-hand, key: "postgres://u:${canary}@h/d" } }`],
    ['a login that is no URL', `server: { port: "u:${canary}@h" }`],
    ['a URL in a wrong place', `server: { port: "postgres://u:${canary}@h/d" }`],
    [
      'a key that says so',
      `connections: { a: { type: lax, retries: 1, apiKey: ${canary} } }\nlog: { level: ${canary.slice(0, 6)} }`,
    ],
    [
      'a literal under such a key',
      `connections: { a: { type: sql, databases: { d: { url: { password: ${canary} } } } } }`,
    ],
    ['a syntax error', `connections: { a: { type: sql, auth: "x" ${canary} } }`],
    ['a stray token', `connections:\n  a: b\n "${canary}"`],
    ['a tag', `a: !${canary} x`],
    ['an unused anchor’s neighbour', `connections: { a: { type: "\${S}" }, a: 1, b: *none }`],
  ])('in the place of %s', (_, text) => {
    const error = refusal(text, { S: canary })
    expect(error.code).toBe('CONFIG_INVALID')
    const everything = [error.message, error.hint, JSON.stringify(error.data), String(error.cause)].join('\n')
    expect(everything).not.toContain(canary)
    expect(everything).toMatch(/weir\.yaml:\d+:\d+/)
  })
})

describe('text that is no configuration', () => {
  it.each([
    ['a reference without quotes', 'server: { port: ${PORT} }', /^1:18 not valid YAML: .*; inside \{ \}/],
    ['an open quote', 'a: "b\nc: 1', /^1:\d+|^2:\d+/],
    ['tabs', 'server:\n\tport: 1', /^2:1 not valid YAML: tabs cannot indent/],
    ['an unknown tag', 'a: 1\nb: !foo 1', /^2:4 not valid YAML: this tag/],
    ['a tag of YAML 1.1', 'a: !!binary aGk=', /^1:4 not valid YAML: this tag/],
    ['two documents', 'a: 1\n---\nb: 2', /^2:1 not valid YAML: the file holds more than one/],
    ['a list as key', '? [a]\n: 1', /^1:3 not valid YAML: a key must be plain text/],
    ['an older YAML', '%YAML 1.1\n---\na: 1', /^1:1 only YAML 1.2 is read; remove %YAML/],
    ['brackets without end', '['.repeat(100_000), /nest too deep/],
    ['a duplicate key', 'log: {}\nserver: {}\nlog: {}', /^3:1 log: the key "log" is here twice; keep one$/],
    ['a duplicate in JSON', '{"log": {}, "log": {}}', /^1:13 log: the key "log" is here twice/],
    [
      'a merge key',
      'x: &a {}\nlog:\n  <<: *a',
      /^1:1 x: unknown key.*\n3:3 log\."<<": merge keys are not part/,
    ],
    [
      'a prototype',
      '{"connections": {"__proto__": {"type": "sql"}}}',
      /^1:18 connections.__proto__: this key is not allowed/,
    ],
    ['an alias to nothing', 'log: *nope', /^1:6 log: the alias \*nope has no anchor before it/],
    [
      'an alias into itself',
      'log: &a { level: *a }',
      /^1:18 log.level: the alias \*a stands inside its own anchor/,
    ],
    ['too deep a tree', `a: ${'['.repeat(100)}${']'.repeat(100)}`, /values nest deeper than 64/],
    ['too many values', `a: [${'1,'.repeat(50_001)}]`, /more than 50000 values/],
    ['a file too large', `# ${'x'.repeat(1024 * 1024)}`, /^1:1 the file is larger than 1024 KiB; split/],
  ])('%s', (_, text, expected) => {
    expect(lines(text).join('\n')).toMatch(expected)
  })

  it('stops an alias bomb at once', () => {
    const levels = Array.from({ length: 9 }, (_, index) => {
      const items = Array(9).fill(index === 0 ? 'lol' : `*l${index - 1}`)
      return `l${index}: &l${index} [${items.join(', ')}]`
    })
    const startedMs = performance.now()
    expect(lines(levels.join('\n'))[0]).toMatch(/follows more than 100 aliases/)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })

  it('is refused where it holds more secrets than can be covered', () => {
    const names = Array.from({ length: 4_001 }, (_, index) => `V${index}`)
    const env = Object.fromEntries(names.map((name) => [name, `value-of-${name}`]))
    const text = `inputs: [${names.map((name) => `"\${${name}}"`).join(', ')}]`
    expect(lines(text, env)).toEqual(['1:1 the file holds more secrets than Weir can keep'])
  })

  it('stops where references together grow too large', () => {
    const text = `inputs: [${'"${BIG}", '.repeat(10)}]`
    expect(lines(text, { BIG: 'x'.repeat(1024 * 1024) })[0]).toMatch(/grow past 8388608 characters/)
  })

  it('reads a large file in time that grows with its size', () => {
    const text = Array.from({ length: 40_000 }, (_, index) => `k${index}: 1`).join('\n')
    const startedMs = performance.now()
    expect(lines(text)).toHaveLength(51)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })

  it('never throws anything but a WeirError', () => {
    const piece = fc.constantFrom(
      ...['connections', 'server', 'port', 'type', 'sql', 'mcpServers', 'url', '__proto__', '<<'],
      ...[
        ': ',
        '\n',
        '\n  ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        ',',
        '&a ',
        '*a',
        '!!str ',
        '|',
        '#',
        '%',
        '---\n',
      ],
      ...['${A}', '${NONE}', '${', '$', '\t', '\0', '\uFEFF', '\uD800', '1', 'null', 'true', '.nan'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          parse(pieces.join(''), { A: 'value' })
        } catch (error) {
          expect(error).toBeInstanceOf(WeirError)
          expect((error as WeirError).code).toBe('CONFIG_INVALID')
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
