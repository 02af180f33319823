import { describe, expect, it } from 'vitest'
import { compileUriTemplate } from './match-uri-template.ts'

const cases: readonly [template: string, matching: readonly string[], other: readonly string[]][] = [
  ['', [''], ['a']],
  ['test://static', ['test://static'], ['test://static/', 'test://Static', 'xtest://static', '']],
  ['a://{id}', ['a://1', 'a://', 'a://x:y@z', 'a://%2F', 'a://ü', 'a://1,2'], ['a://1/2', 'a://1?q', 'a:/1']],
  ['a://{id}/data', ['a://7/data', 'a:///data'], ['a://7/8/data', 'a://7/data/', 'a://7/dat']],
  ['a://{x,y}', ['a://1,2', 'a://1'], ['a://1/2']],
  ['a://{x}{y}', ['a://12', 'a://'], ['a://1/2']],
  ['a://{x}-{y}-{z}', ['a://1-2-3', 'a://----'], ['a://1-2', 'a://1-2/3-4']],
  ['file:///{+path}', ['file:///a/b/c.txt', 'file:///', 'file:///a?b#c'], ['file://a']],
  ['file:///{path*}', ['file:///a/b/c.txt'], ['file:/a']],
  ['{+base}/end', ['a/end', '/end', 'a/end/end'], ['a/end/', 'end']],
  ['a://b{#part}', ['a://b', 'a://b#', 'a://b#x/y?z'], ['a://bx', 'a://b/']],
  ['a://b{.ext}', ['a://b', 'a://b.tar.gz'], ['a://btar', 'a://b.a/c']],
  ['a:{/x}', ['a:', 'a:/1', 'a:/'], ['a:/1/2', 'a:1']],
  ['a:{/x,y}/z', ['a:/z', 'a:/1/z', 'a:/1/2/z'], ['a:/1/2/3/z', 'a:z']],
  ['a:{/x*}', ['a:', 'a:/1/2/3/4'], ['a:b', 'a:/1?q=1']],
  ['a:b{;x,y}', ['a:b', 'a:b;x', 'a:b;x=1;y=2', 'a:b;y=2'], ['a:b;z=1', 'a:b;y=2;x=1']],
  ['a:b{?q,r}', ['a:b', 'a:b?q=1', 'a:b?r=2&q=1', 'a:b?other'], ['a:bq', 'a:b?q=1#x', 'a:b/c']],
  ['a:b?s=1{&q}', ['a:b?s=1', 'a:b?s=1&q=2'], ['a:b?s=2', 'a:b?s=12']],
  ['a:{x:3}/{y}', ['a:abc/d'], ['a:abc']],
  ['aab{x}aabaab', ['aabaabaab', 'aabaabaabaab'], ['aabaab', 'aabaabaa']],
  ...['a:{', 'a:}', 'a:{}', 'a:{x', 'a:x}', 'a:{{x}}', 'a:{=x}', 'a:{x,+y}', 'a:{x y}', 'a:{x**}'].map(
    (broken): [string, string[], string[]] => [broken, [], [broken, 'a:', 'a:x']],
  ),
]

describe('a URI template', () => {
  it.each(cases)('%s matches what it can expand to, and nothing else', (template, matching, other) => {
    const matches = compileUriTemplate(template)
    expect(matching.filter((uri) => !matches(uri))).toEqual([])
    expect(other.filter((uri) => matches(uri))).toEqual([])
  })

  it('matches every expansion of it whatever stands in it', () => {
    const pieces = ['a', 'aa', '-', '{x}', '{+y}', '{/z}', '{?q}', 'ab']
    for (let seed = 0; seed < 3_000; seed += 1) {
      const chosen = [seed, seed >> 3, seed >> 6, seed >> 9].map((bits) => pieces[bits & 7] as string)
      const uri = chosen.map((piece) => expand(piece, seed)).join('')
      expect([chosen.join(''), uri, compileUriTemplate(chosen.join(''))(uri)]).toEqual([
        chosen.join(''),
        uri,
        true,
      ])
    }
  })

  it.each([
    ['100 KB of opening braces', '{'.repeat(100_000), '{'.repeat(100_000)],
    ['100 KB of expressions', '{a}'.repeat(33_000), 'a'.repeat(4_096)],
    ['one expression of 100 KB', `{${'a,'.repeat(50_000)}a}`, 'a'.repeat(4_096)],
    ['a URI of 100 KB', '{+a}b{+c}', 'a'.repeat(100_000)],
    ['gaps between the same letter', `${'{+a}a'.repeat(16)}b`, 'a'.repeat(4_096)],
    ['long texts that nearly match', `{+x}${'a'.repeat(2_000)}b{+y}c`, 'a'.repeat(4_096)],
    ['many ends, far apart', `{x}${'{/y}'.repeat(15)}${'/a'.repeat(1_000)}b`, '/a'.repeat(2_048)],
  ])('stays fast with %s', (_, template, uri) => {
    const start = performance.now()
    for (let round = 0; round < 20; round += 1) expect(compileUriTemplate(template)(uri)).toBe(false)
    expect(performance.now() - start).toBeLessThan(1_000)
  })
})

/** One expansion of a piece, chosen by the seed. */
function expand(piece: string, seed: number): string {
  const value = ['', 'a', 'ab-a', 'b'][seed % 4] as string
  if (piece === '{x}') return value
  if (piece === '{+y}') return `${value}/${value}`
  if (piece === '{/z}') return seed % 3 === 0 ? '' : `/${value}`
  if (piece === '{?q}') return seed % 3 === 0 ? '' : `?q=${value}`
  return piece
}
