import { describe, expect, it } from 'vitest'
import { parseServerUrl, problemOfServerUrl } from './server-url.ts'

const rules = {
  defaultPort: 1234,
  options: new Map([
    ['mode', ['a', 'b']],
    ['name', undefined],
  ]),
}

describe('a server’s URL', () => {
  it('is taken apart, with percent-encoded parts decoded', () => {
    expect(parseServerUrl('db://us%40er:p%2F%23w@host:99/data%20base?mode=a&name=x', rules)).toEqual({
      host: 'host',
      port: 99,
      user: 'us@er',
      password: 'p/#w',
      database: 'data base',
      options: new Map([
        ['mode', 'a'],
        ['name', 'x'],
      ]),
    })
    expect(parseServerUrl('db://user@[::1]/x', rules)).toMatchObject({
      host: '::1',
      port: 1234,
      password: undefined,
    })
    expect(parseServerUrl('db://user@%2Frun%2Fdb/x', rules)).toMatchObject({ host: '/run/db' })
  })

  it.each([
    ['db://canary:canary@', 'host'],
    ['db://host/canary', 'user'],
    ['db://canary@host', 'database'],
    ['db://canary@host/', 'database'],
    ['db://u:canary@host:canary/x', 'no URL'],
    ['db://u:canary@host/x#canary', '%23'],
    ['db://u:canary%@host/x', '%25'],
    ['db://u:canary%00@host/x', 'NUL'],
    ['db://u@host/x?canary=1', 'it takes: mode, name'],
    ['db://u@host/x?mode=canary', 'one of: a, b'],
  ])('S16: what is wrong with %s is said without any part of it', (url, problem) => {
    expect(problemOfServerUrl(url, rules)).toContain(problem)
    expect(problemOfServerUrl(url, rules)).not.toContain('canary')
  })
})
