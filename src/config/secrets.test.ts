import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secrets } from './secrets.ts'

function secretsOf(...values: string[]): Secrets {
  const secrets = new Secrets()
  for (const value of values) secrets.add(value)
  return secrets
}

describe('Secrets', () => {
  it.each([
    ['every occurrence', ['hunter2'], 'a hunter2 b hunter2', 'a [redacted] b [redacted]'],
    ['nothing where there is none', ['hunter2'], 'hunter', 'hunter'],
    ['a secret that holds another', ['key-abcd', 'abcd'], 'x key-abcd abcd', 'x [redacted] [redacted]'],
    ['secrets that overlap, wholly', ['abcdef', 'efghij'], '-abcdefghij-', '-[redacted]-'],
    ['secrets that touch, as one', ['abcd', 'efgh'], '-abcdefgh-', '-[redacted]-'],
    ['a secret that overlaps itself', ['abab'], '-ababab-', '-[redacted]-'],
    ['the form inside JSON', ['two\n"lines"'], JSON.stringify({ a: 'two\n"lines"' }), '{"a":"[redacted]"}'],
    ['a secret that looks like a pattern', ['a.*(b'], 'a.*(b axx(b', '[redacted] axx(b'],
    ['the mark’s own word once', ['redacted', 'hunter2'], 'hunter2', '[redacted]'],
  ])('S16: covers %s', (_, values, text, expected) => {
    expect(secretsOf(...values).redact(text)).toBe(expected)
  })

  it('ignores what would cover everything: short values and everyday words', () => {
    const secrets = secretsOf('', 'a', 'abc', 'info', 'True', 'localhost')
    expect(secrets.size).toBe(0)
    expect(secrets.redact('a abc info localhost')).toBe('a abc info localhost')
  })

  it.each([
    ['postgres://ada:p%40ssword@db/x', ['p%40ssword', 'p@ssword']],
    ['--dsn=postgres://ada:secret1@db/x --other=redis://:secret2@r', ['secret1', 'secret2']],
    ['http://u:pa@ss:word@host/', ['pa@ss:word']],
    ['http://u:100%sure@host/', ['100%sure']],
  ])('S16: takes the passwords of %s', (text, passwords) => {
    const secrets = new Secrets()
    secrets.addUrlPasswords(text)
    for (const password of passwords) expect(secrets.redact(`<${password}>`)).toBe('<[redacted]>')
    expect(secrets.size).toBe(passwords.length)
  })

  it.each([
    'https://ada@host/',
    'https://host/a:b@c',
    'no url: a@b',
    'https://host:8080/@scope/name',
    '://',
  ])('finds no password in %s', (text) => {
    const secrets = new Secrets()
    secrets.addUrlPasswords(text)
    expect(secrets.size).toBe(0)
  })

  it('finds passwords in linear time', () => {
    const secrets = new Secrets()
    const startedMs = performance.now()
    secrets.addUrlPasswords('a'.repeat(1_000_000))
    secrets.addUrlPasswords('x://'.repeat(100_000))
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })

  it('holds 4,000 values and says when one was turned away', () => {
    const secrets = new Secrets()
    for (let index = 0; index < 4_000; index++) secrets.add(`secret-${index}`)
    expect([secrets.size, secrets.isFull]).toEqual([4_000, false])
    secrets.add('secret-0')
    expect(secrets.isFull).toBe(false)
    secrets.add('one-more')
    expect([secrets.size, secrets.isFull]).toEqual([4_000, true])
  })

  it('S16: shows none of its values when it is printed', () => {
    const secrets = secretsOf('canary-value')
    expect(
      `${inspect(secrets, { depth: 9, showHidden: true })}${JSON.stringify(secrets)}${secrets}`,
    ).not.toContain('canary')
  })

  it('S16: leaves no secret in any text', () => {
    const word = fc.string({ minLength: 4, maxLength: 8, unit: fc.constantFrom('a', 'b', '.', '"') })
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), fc.array(word), (values, others) => {
        const text = [...others, ...values, ...others].join('')
        const redacted = secretsOf(...values).redact(text)
        for (const value of values) expect(redacted).not.toContain(value)
      }),
    )
  })
})
