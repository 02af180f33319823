import { describe, expect, it } from 'vitest'
import { findNearestKey, findNearestKeys } from './nearest-key.ts'

describe('findNearestKey', () => {
  it.each([
    ['databse', ['url', 'database', 'databases'], 'database'],
    ['adtabase', ['database'], 'database'],
    ['prot', ['port', 'path'], 'port'],
    ['ur', ['url'], 'url'],
    ['allowedorigins', ['allowedHosts', 'allowedOrigins'], 'allowedOrigins'],
    ['baseURL', ['baseUrl'], 'baseUrl'],
    ['x', ['y', 'r'], undefined],
    ['zebra', ['port', 'host'], undefined],
    ['host', ['host'], undefined],
    ['', ['a'], undefined],
  ])('%j among %j is %j', (word, candidates, expected) => {
    expect(findNearestKey(word, candidates)).toBe(expected)
  })

  it('prefers the nearer of two, and the first of two equally near', () => {
    expect(findNearestKey('timeot', ['time', 'timeout'])).toBe('timeout')
    expect(findNearestKey('cat', ['car', 'cap'])).toBe('car')
  })

  it('gives several where asked to, the nearest first', () => {
    expect(findNearestKeys('cat', ['car', 'dog', 'Cat', 'cap'], 2)).toEqual(['Cat', 'car'])
    expect(findNearestKeys('zebra', ['cat'], 2)).toEqual([])
  })

  it('compares only the beginning of a huge word', () => {
    const startedMs = performance.now()
    expect(findNearestKey('a'.repeat(1_000_000), ['b'.repeat(1_000_000)])).toBeUndefined()
    expect(performance.now() - startedMs).toBeLessThan(200)
  })
})
