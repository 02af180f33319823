import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { references } from '../scripts/reference.ts'
import { type ErrorSpec, errorCatalogue } from '../src/core/error-catalogue.ts'
import { type Catalogue, checkCatalogue, checkThrownCodes } from './house/codes.ts'
import { renderFinding } from './house/finding.ts'
import { places, plant } from './house/plant.ts'
import { readTree, type Tree } from './house/tree.ts'

const root = join(import.meta.dirname, '..')

describe('this tree', () => {
  it('has a catalogue that every dialect can render', () => {
    expect(checkCatalogue(errorCatalogue).map(renderFinding)).toEqual([])
  })

  it('throws every code of the catalogue and no other', () => {
    expect(checkThrownCodes(readTree(root), errorCatalogue).map(renderFinding)).toEqual([])
  })

  it.each(references)('has $path as `node scripts/write-reference.ts` writes it', ({ path, render }) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(render())
  })

  it('documents every code once, with its status and its rendering', () => {
    const rows = readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^\| `([A-Z_]+)` \|(.*)\|$/gm)
    const documented = [...rows].map(([, code, row]) => [
      code,
      row
        ?.split('|')
        .slice(0, 5)
        .map((cell) => cell.trim()),
    ])
    const catalogued = Object.entries<ErrorSpec>(errorCatalogue).map(([code, spec]) => [
      code,
      [spec.audience, `${spec.http}`, `\`${spec.mcp}\``, spec.retryable ? 'yes' : 'no', spec.meaning],
    ])
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(catalogued))
    expect(documented).toHaveLength(catalogued.length)
  })
})

const parseError: ErrorSpec = {
  audience: 'caller',
  http: 400,
  mcp: -32700,
  retryable: false,
  meaning: 'The body is not JSON.',
}
const timeout: ErrorSpec = {
  audience: 'upstream',
  http: 504,
  mcp: 'isError',
  retryable: true,
  meaning: 'The host did not answer in time.',
}
const catalogue: Catalogue = { PARSE_ERROR: parseError, UPSTREAM_TIMEOUT: timeout }

describe('the catalogue check', () => {
  it('finds nothing in a clean catalogue', () => {
    expect(checkCatalogue(catalogue)).toEqual([])
  })

  it.each<{ what: string; planted: Catalogue }>([
    { what: 'a code that is not SCREAMING_SNAKE', planted: { parseError } },
    { what: 'a status that is no error', planted: { PLANTED: { ...parseError, http: 200, mcp: -32600 } } },
    { what: 'a caller’s error with 5xx', planted: { PLANTED: { ...timeout, audience: 'caller' } } },
    {
      what: 'an operator’s error with 4xx',
      planted: { PLANTED: { ...timeout, audience: 'operator', http: 429 } },
    },
    { what: 'a JSON-RPC code nobody defines', planted: { PLANTED: { ...parseError, mcp: -32099 } } },
    { what: '-32603 for a caller’s fault', planted: { PLANTED: { ...parseError, mcp: -32603 } } },
    { what: 'a fault of ours as the caller’s', planted: { PLANTED: { ...timeout, mcp: -32600 } } },
    { what: 'a meaning that is no sentence', planted: { PLANTED: { ...timeout, meaning: 'no answer' } } },
    {
      what: 'a meaning that breaks the table',
      planted: { PLANTED: { ...timeout, meaning: 'Read | write.' } },
    },
    { what: 'a meaning given twice', planted: { ...catalogue, PLANTED: { ...timeout } } },
    {
      what: 'a distinct code given twice',
      planted: { ...catalogue, PLANTED: { ...parseError, meaning: 'It is not JSON.' } },
    },
  ])('finds $what', ({ planted }) => {
    expect(places(checkCatalogue(planted))).toEqual(['catalogue src/core/error-catalogue.ts:1'])
  })
})

const clean: Tree = new Map([
  ['src/core/error-catalogue.ts', `export const errorCatalogue = { PARSE_ERROR: '', UPSTREAM_TIMEOUT: '' }`],
  [
    'src/frontends/read.ts',
    `throw new WeirError(late ? 'UPSTREAM_TIMEOUT' : 'PARSE_ERROR', 'what happened')`,
  ],
])

describe('the check of thrown codes', () => {
  const check = (files: Readonly<Record<string, string>>) =>
    places(checkThrownCodes(plant(clean, files), catalogue))

  it('finds nothing in a clean tree', () => {
    expect(check({})).toEqual([])
  })

  it('finds a code that nothing throws, even if a test or the catalogue names it', () => {
    const files = {
      'src/frontends/read.ts': `throw new WeirError('PARSE_ERROR', '')\nlog('UPSTREAM_TIMEOUT')`,
      'src/frontends/read.test.ts': `throw new WeirError('UPSTREAM_TIMEOUT', '')`,
    }
    expect(check(files)).toEqual(['unthrown-code src/core/error-catalogue.ts:1'])
  })

  it('finds a code that the catalogue does not have', () => {
    const source = `\nthrow new WeirError('PLANTED', '')`
    expect(check({ 'src/frontends/write.ts': source })).toEqual(['unknown-code src/frontends/write.ts:2'])
  })

  it('counts the codes of a table where the thrown code is computed', () => {
    const table = `const codes = { PARSE_ERROR: 1, late: 'UPSTREAM_TIMEOUT' }\nthrow new WeirError(codes[name], '')`
    expect(check({ 'src/frontends/read.ts': table })).toEqual([])
  })
})
