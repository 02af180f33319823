import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePlaceholders } from './placeholders.ts'

describe('D0-015: placeholders go by position', () => {
  it.each([
    ['select ?', 1, []],
    ['select ?, ?', 2, []],
    ['select $2, $1', 2, ['$2', '$1']],
    ['select $1, $1', 1, ['$1']],
    ['select ?3', 3, ['?3']],
    ["select '$1', '?', 'it''s ?', $1", 1, ['$1']],
    ['select "$1", `?`, [?], $1', 1, ['$1']],
    ['select 1 -- $2 ?\n, $1', 1, ['$1']],
    ['select /* $9 ? * / */ $1', 1, ['$1']],
    ['select a$1, $1 from t', 1, ['$1']],
    ['select é$2, $1', 1, ['$1']],
    ["select 'open $1", 0, []],
    ['select /* open $1', 0, []],
    ['select a->>$1', 1, ['$1']],
    ['', 0, []],
  ])('%s', (query, count, names) => {
    const found = parsePlaceholders(query)
    expect(found.count).toBe(count)
    expect(found.numbered.map(({ name }) => name)).toEqual(names)
  })

  it.each([
    'select :a',
    'select @a',
    'select $a',
    'select $0',
    'select ?, $1',
    'select $1::text',
  ])('refuses %s', (query) =>
    expect(() => parsePlaceholders(query)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' })))

  it('finds exactly those that SQLite finds, whatever surrounds them', () => {
    const database = new DatabaseSync(':memory:')
    const piece = fc.constantFrom(
      "'",
      "''",
      '"',
      '`',
      '[',
      ']',
      '--',
      '\n',
      '/*',
      '*/',
      '*',
      '/',
      '$1',
      '$2',
      '?3',
      ' ',
      ',',
      'a',
      'é',
      '1',
      '-',
      '(',
      ')',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const query = `select 1, ${pieces.join('')}`
        let accepts: (name: string) => boolean
        try {
          const statement = database.prepare(query)
          if (statement.sourceSQL !== query) return
          accepts = (name) => {
            try {
              statement.all({ [name]: 1 })
              return true
            } catch {
              return false
            }
          }
        } catch {
          return
        }
        const found = namesIn(query)
        if (found === undefined) return
        for (const name of ['$1', '$2', '?3'])
          expect([name, found.includes(name)]).toEqual([name, accepts(name)])
      }),
      { numRuns: 20_000 },
    )
  })
})

/** Undefined for a query that is refused, which harms nobody. */
function namesIn(query: string): string[] | undefined {
  try {
    return parsePlaceholders(query).numbered.map(({ name }) => name)
  } catch {
    return undefined
  }
}
