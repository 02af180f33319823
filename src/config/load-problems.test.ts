import { describe, expect, it } from 'vitest'
import { lines, refusal } from './load.fixture.ts'
import type { Problem } from './problems.ts'

describe('what is wrong', () => {
  it('is told at once, with exact places, and as data', () => {
    const text = `connections:
  database:
    type: sql
    databse: x
    databases:
      primary: { url: "\${DATABASE_URL}", write: yes, pool: 99, mode: rx }
      second: { urll: a }
    auth: { berer: x }
    tags: [{ name: a }, { nam: b }]
  other: { type: sqk }
  Bad_Name: { type: sql }
  third: {}
polices: {}
policies:
  "no pattern": {}
  "a:b": { timeout: 3 parsecs }
server: { port: -1, hots: 1, allowedOrigins: ["https://a/b"], sessionKey: short }
log: { level: verbos }
`
    expect(lines(text)).toEqual([
      '4:5 connections.database.databse: unknown key "databse"; did you mean "databases"?',
      '6:23 connections.database.databases.primary.url: the variable DATABASE_URL is not set; set it, or give a default: ${DATABASE_URL:-…}',
      '6:49 connections.database.databases.primary.write: expected boolean, got "yes"',
      '6:60 connections.database.databases.primary.pool: too big: expected number to be <=10 (got 99)',
      '6:70 connections.database.databases.primary.mode: expected one of "ro", "rw", got "rx"; did you mean "ro"?',
      '7:7 connections.database.databases.second.url: is required (string)',
      '7:17 connections.database.databases.second.urll: unknown key "urll"; did you mean "url"?',
      '8:5 connections.database.auth.bearer: is required (string)',
      '8:13 connections.database.auth.berer: unknown key "berer"; did you mean "bearer"?',
      '9:25 connections.database.tags[1].name: is required (string)',
      '9:27 connections.database.tags[1].nam: unknown key "nam"; did you mean "name"?',
      '10:18 connections.other.type: unknown connection type "sqk"; did you mean "sql"? (known types: sql, lax, by-hand, mcp)',
      '11:3 connections.Bad_Name: a name is made of a-z, 0-9 and -',
      '12:3 connections.third.type: is required; known types: sql, lax, by-hand, mcp',
      '13:1 polices: unknown key "polices"; did you mean "policies"?',
      '15:3 policies."no pattern": a policy is for a tool id or a pattern: "database:execute_query", "database:*", "*:send", "*"',
      '16:21 policies."a:b".timeout: expected a duration of 1ms to 24h, as in 500ms, 30s, 2m, or a number of milliseconds (got "3 parsecs")',
      '17:17 server.port: too small: expected number to be >=0 (got -1)',
      '17:21 server.hots: unknown key "hots"; did you mean "host"?',
      '17:47 server.allowedOrigins[0]: an origin is scheme://host[:port] (got "https://a/b")',
      '17:75 server.sessionKey: a session key has at least 32 characters; `openssl rand -hex 32` makes one',
      '18:15 log.level: expected one of "debug", "info", "warn", "error", "silent", got "verbos"',
    ])
    const error = refusal(text)
    expect(error.code).toBe('CONFIG_INVALID')
    expect((error.data?.['problems'] as Problem[])[0]).toEqual({
      path: 'connections.database.databse',
      line: 4,
      column: 5,
      message: 'unknown key "databse"',
      hint: 'did you mean "databases"?',
    })
    expect(error.data?.['problems']).toHaveLength(22)
  })

  it.each([
    ['a list', '[]', ['1:1 expected mapping, got a list']],
    ['a word', 'word', ['1:1 expected mapping, got "word"']],
    ['connections of another kind', 'connections: [1]', ['1:14 connections: expected mapping, got a list']],
    [
      'a connection of another kind',
      'connections: { a: 1 }',
      ['1:19 connections.a: expected mapping, got 1'],
    ],
    [
      'a type of another kind',
      'connections: { a: { type: [] } }',
      ['1:27 connections.a.type: unknown connection type a list; known types: sql, lax, by-hand, mcp'],
    ],
    [
      'a number for a text',
      'connections: { a: { type: sql, databases: { d: { url: 5 } } } }',
      ['1:55 connections.a.databases.d.url: expected string, got 5; put it in quotes'],
    ],
    [
      'no alternative',
      'connections: { a: { type: sql, auth: 5 } }',
      ['1:38 connections.a.auth: expected string or mapping, got 5'],
    ],
    ['an absent value', 'server: { host: }', ['1:17 server.host: expected string, got null']],
    [
      'a name that is too long',
      `connections: { ${'a'.repeat(65)}: { type: sql } }`,
      [`1:16 connections.${'a'.repeat(65)}: a name has at most 64 characters`],
    ],
    [
      'a reserved name',
      'connections: { execute: { type: sql } }',
      ['1:16 connections.execute: this name is reserved'],
    ],
    [
      'keys a lax connector would drop',
      'connections: { a: { type: lax, retris: 1, inner: { depth: 1, dept: 2 } } }',
      [
        '1:32 connections.a.retris: unknown key "retris"; did you mean "retries"?',
        '1:62 connections.a.inner.dept: unknown key "dept"; did you mean "depth"?',
      ],
    ],
    [
      'what a connector finds by hand',
      'connections: { a: { type: by-hand, key: k } }',
      ['1:19 connections.a: the key k is no good'],
    ],
    [
      'durations out of bounds',
      'policies: { "*": { timeout: 0 }, "a:*": { timeout: 25h } }',
      [expect.stringMatching(/^1:29 .*\(got 0\)$/), expect.stringMatching(/^1:52 .*\(got "25h"\)$/)],
    ],
  ])('%s', (_, text, expected) => {
    expect(lines(text)).toEqual(expected)
  })

  it('of a connector’s own making is INTERNAL and says nothing of it', () => {
    const error = refusal('connections: { a: { type: by-hand, key: crash } }')
    expect(error.code).toBe('INTERNAL')
    expect(error.message).not.toContain('canary')
  })

  it('is told once: what only follows from it is not told', () => {
    expect(lines('connections: { a: { type: by-hand, key: "${NONE}" } }')).toEqual([
      '1:41 connections.a.key: the variable NONE is not set; set it, or give a default: ${NONE:-…}',
    ])
  })

  it('is told 50 times, and the rest counted', () => {
    const text = Array.from({ length: 70 }, (_, index) => `unknown${index}: 1`).join('\n')
    const told = lines(text)
    expect(told).toHaveLength(51)
    expect(told[50]).toBe('and 20 more')
    expect(refusal(text).data?.['problems']).toHaveLength(50)
  })
})
