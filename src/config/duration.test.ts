import { describe, expect, it } from 'vitest'
import { parseDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1.5s', 1_500],
    ['1500', 1_500],
    [' 1s ', 1_000],
    ['0.5ms', 1],
    ['', undefined],
    ['s', undefined],
    ['-1s', undefined],
    ['1 s', undefined],
    ['1d', undefined],
    ['1e3', undefined],
    ['1s1s', undefined],
    ['9999999999', undefined],
  ])('%j is %j', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs)
  })
})
