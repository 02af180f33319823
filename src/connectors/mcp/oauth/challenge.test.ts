import { describe, expect, it } from 'vitest'
import { parseChallenge } from './challenge.ts'

describe('WWW-Authenticate', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['Basic realm="x"', undefined],
    ['Bearer', { scopes: [] }],
    ['bearer scope="a b  a"', { scopes: ['a', 'b'] }],
    ['Bearer error=invalid_token', { scopes: [], error: 'invalid_token' }],
    ['Basic realm="Bearer error=\\"no\\"", Bearer error="x"', { scopes: [], error: 'x' }],
    ['Bearer error="x", Basic scope="wrong"', { scopes: [], error: 'x' }],
    ['Bearer xscope="wrong", scope = "right"', { scopes: ['right'] }],
    ['Bearer scope="a", scope="b"', { scopes: ['a'] }],
    ['Bearer error_description="a, scope=b, \\"c\\"", scope="d"', { scopes: ['d'] }],
    [['Negotiate', 'Bearer scope="a"'], { scopes: ['a'] }],
    [
      'Bearer resource_metadata=https://a.example/x?y',
      { scopes: [], resourceMetadata: 'https://a.example/x?y' },
    ],
    ['Bearer scope="a\u0000b c\\"d e"', { scopes: ['e'] }],
  ])('%j is %j', (header, expected) => {
    expect(parseChallenge(header)).toEqual(expected)
  })

  it('S17: is read in linear time, and only so much of it', () => {
    const begin = performance.now()
    for (const piece of ['a ', 'a=', '"', '\\', 'a="', ',', ' ', 'a="\\'])
      parseChallenge(`Bearer ${piece.repeat(100_000)}`)
    expect(performance.now() - begin).toBeLessThan(500)
    const many = Array.from({ length: 500 }, (_, index) => `s${index}`).join(' ')
    expect(parseChallenge(`Bearer scope="${many}"`)?.scopes).toHaveLength(100)
  })
})
