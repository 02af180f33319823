import { describe, expect, it } from 'vitest'
import { findLink } from './parse-link-header.ts'

describe('findLink', () => {
  it.each([
    ['<https://a.example/?p=2>; rel="next"', 'https://a.example/?p=2'],
    ['<a?p=1>; rel="prev", <a?p=3>; rel="next"', 'a?p=3'],
    ['<a>;rel=next', 'a'],
    ['<a> ; REL = "next"', 'a'],
    ['<a>; rel="last NEXT"', 'a'],
    ['<a,b;c>; title="x, y; rel=no"; rel="next"', 'a,b;c'],
    ['<a>; title="\\"; rel=no"; rel=next', 'a'],
    ['<a>; rel="prev"; rel="next"', undefined],
    ['<a>; rel="next"; anchor="#x", <b>; rel="next"', 'b'],
    ['<a>; rel="nexty"', undefined],
    ['<a>', undefined],
    ['<a', undefined],
    ['', undefined],
    ['<a>; rel="next', 'a'],
    ['<>; rel="next"', ''],
  ])('B-62: %s', (header, target) => {
    expect(findLink(header, 'next')).toBe(target)
  })

  it('reads a hostile header once', () => {
    const began = performance.now()
    for (const piece of ['<', '<>', ';', '<a>;', '<a>;a="', ', ', '<a>;a=b'])
      findLink(piece.repeat(50_000), 'next')
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})
