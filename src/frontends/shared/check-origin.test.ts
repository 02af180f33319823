import { describe, expect, it } from 'vitest'
import { createOriginCheck, isLoopback } from './check-origin.ts'

const check = createOriginCheck({
  allowedHosts: ['Weir.example', 'gate.example:8443'],
  allowedOrigins: ['https://app.example', 'null'],
})
const strict = createOriginCheck({ allowedHosts: [], allowedOrigins: [] })

describe('S7: the check of Host and Origin', () => {
  it.each([
    ['localhost', undefined],
    ['LOCALHOST:8000', undefined],
    ['127.0.0.1:1', undefined],
    ['[::1]:8000', undefined],
    ['weir.example', undefined],
    ['WEIR.example:9999', undefined],
    ['gate.example:8443', undefined],
    ['localhost:8000', 'http://localhost:8000'],
    ['weir.example', 'https://weir.example'],
    ['localhost', 'https://app.example'],
    ['localhost', 'null'],
  ])('S7: lets Host %s with Origin %s through', (host, origin) => {
    expect(() => check(host, origin)).not.toThrow()
  })

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['evil.example', undefined],
    ['weir.example.evil.example', undefined],
    ['gate.example', undefined],
    ['gate.example:80', undefined],
    ['127.0.0.1.nip.io', undefined],
    ['localhost@evil.example', undefined],
    ['localhost:8000:8000', undefined],
    ['localhost\nevil', undefined],
    ['0.0.0.0', undefined],
    ['2130706433', undefined],
  ])('S7: refuses Host %j', (host, origin) => {
    expect(() => check(host, origin)).toThrow(expect.objectContaining({ code: 'HOST_NOT_ALLOWED' }))
  })

  it.each([
    ['null'],
    ['http://evil.example'],
    ['http://localhost:3000'],
    ['https://localhost:8000.evil.example'],
    ['file://'],
    [''],
    ['http://localhost:8000/'],
  ])('S7: refuses Origin %j that nobody allowed', (origin) => {
    expect(() => strict('localhost:8000', origin)).toThrow(
      expect.objectContaining({ code: 'ORIGIN_NOT_ALLOWED' }),
    )
  })
})

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['127.example', false],
    ['', false],
  ])('of %j is %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected)
  })
})
