import { describe, expect, it } from 'vitest'
import { resolveUrl } from './resolve-url.ts'

const base = new URL('https://api.example/v1/tenant')
const resolve = (input: string, from = base) => resolveUrl('crm', from, input).href

describe('resolveUrl', () => {
  it.each([
    ['', 'https://api.example/v1/tenant'],
    ['items/1', 'https://api.example/v1/tenant/items/1'],
    ['/items/1', 'https://api.example/v1/tenant/items/1'],
    ['?q=a/../b', 'https://api.example/v1/tenant?q=a/../b'],
    ['items?q=%2e%2e%2f', 'https://api.example/v1/tenant/items?q=%2e%2e%2f'],
    ['items#part', 'https://api.example/v1/tenant/items'],
    ['a/../b', 'https://api.example/v1/tenant/b'],
    ['group%2Fproject', 'https://api.example/v1/tenant/group%2Fproject'],
    ['100%25', 'https://api.example/v1/tenant/100%25'],
    ['größe/%E4%BD%A0', 'https://api.example/v1/tenant/gr%C3%B6%C3%9Fe/%E4%BD%A0'],
    ['..a/b..', 'https://api.example/v1/tenant/..a/b..'],
    ['https://api.example/v1/tenant', 'https://api.example/v1/tenant'],
    ['https://api.example/v1/tenant/items', 'https://api.example/v1/tenant/items'],
    ['HTTPS://API.example:443/v1/tenant/items', 'https://api.example/v1/tenant/items'],
    ['//api.example/v1/tenant/items', 'https://api.example/v1/tenant/items'],
  ])('D0-035: %j is inside', (input, url) => {
    expect(resolve(input)).toBe(url)
  })

  it.each([
    'https://evil.example/v1/tenant/items',
    'https://api.example.evil.example/v1/tenant/',
    'https://api.example@evil.example/v1/tenant/',
    'https://user:pass@api.example/v1/tenant/items',
    'https://api.example./v1/tenant/items',
    'https://api.example:8443/v1/tenant/items',
    'http://api.example/v1/tenant/items',
    'ftp://api.example/v1/tenant/items',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https:evil.example/v1/tenant/',
    'https:///evil.example/v1/tenant/',
    '//evil.example/v1/tenant/',
    '///evil.example/v1/tenant/',
    '\\\\evil.example\\v1',
    '/\\evil.example/v1/tenant/',
    'https://evil.example\\@api.example/v1/tenant/',
    'https://api.example/v1/tenant\\..\\admin',
    'https://api.example/v1/tenant-b/items',
    'https://api.example/v1',
    '..',
    '../tenant-b',
    'a/../../b',
    '%2e%2e/admin',
    '%2E%2e/admin',
    '.%2e/admin',
    '..%2fadmin',
    '..%2Fadmin',
    '%2e%2e%2fadmin',
    '..%5cadmin',
    '%252e%252e%252fadmin',
    '%252e%252e/admin',
    'a/..;/admin',
    'a/..;x=1/admin',
    'a/%2e%2e;/admin',
    'a%2f..',
    'a%00b',
    'a%0d%0ab',
    'a b',
    'a\tb',
    'a\nb',
    ' https://api.example/v1/tenant/items',
    'java\nscript:alert(1)',
    `%${'25'.repeat(6)}2e`,
  ])('B-11: %j is refused', (input) => {
    expect(() => resolve(input)).toThrow(
      expect.objectContaining({ code: 'URL_NOT_ALLOWED', data: expect.objectContaining({ sent: false }) }),
    )
  })

  it('takes the whole origin where the base URL has no path', () => {
    expect(resolve('a/b', new URL('http://api.example'))).toBe('http://api.example/a/b')
    expect(resolve('http://api.example/c', new URL('http://api.example/'))).toBe('http://api.example/c')
  })
})
