import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { notYet, shown } from './requirements.ts'

const root = join(import.meta.dirname, '..')
/** Tests, and the suites that several of them run. */
const titles = globSync(['{src,test}/**/*.test.ts', 'src/**/describe-*.fixture.ts'], { cwd: root })
  .filter((path) => !path.endsWith('requirements.test.ts'))
  .map((path) => citedTitles(readFileSync(join(root, path), 'utf8')))
  .join('\n')

/** The texts that name tests: what follows `it(`, `describe(` and their variants. An id in a comment shows nothing. */
function citedTitles(source: string): string {
  const named = source.matchAll(/\b(?:it|describe)(?:\.\w+(?:\([\s\S]*?\))?)*\s*\(\s*(['"`])([\s\S]*?)\1/g)
  return [...named].map(([, , title]) => title).join('\n')
}

/** `D4-001 to D4-004` cites what lies between, too. */
function cites(text: string, id: string): boolean {
  if (new RegExp(`\\b${id}\\b`).test(text)) return true
  const [document, number] = id.split('-')
  return [...text.matchAll(/\b(\w+)-(\d+) to \1-(\d+)\b/g)].some(
    ([, name, first, last]) =>
      name === document && Number(first) <= Number(number) && Number(number) <= Number(last),
  )
}

describe('the requirements', () => {
  it.each(shown)('%s is named by a test that shows it', (id) => {
    expect(cites(titles, id), `no test is named for ${id}`).toBe(true)
  })

  it('are not both shown and put off, and every delay has its reason', () => {
    expect(Object.keys(notYet).filter((id) => shown.includes(id))).toEqual([])
    expect(Object.values(notYet).every((reason) => reason.length > 10)).toBe(true)
  })

  it('are missed where a test only mentions them', () => {
    expect(cites(citedTitles("// R99\nit('works', () => {})"), 'R99')).toBe(false)
    expect(cites(citedTitles("it.each([1])('R99: works', () => {})"), 'R99')).toBe(true)
    expect(cites(citedTitles("describe('D9-001 to D9-003', () => {})"), 'D9-002')).toBe(true)
  })
})
