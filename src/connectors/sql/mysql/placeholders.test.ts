import { expect, it } from 'vitest'
import { translatePlaceholders } from './placeholders.ts'

it.each([
  ['select ?', 'select ?', undefined],
  ['select $2, $1', 'select ?, ?', [1, 0]],
  ['select $1, $1', 'select ?, ?', [0, 0]],
  ['select \'$1\', "$1", `$1`, $1', 'select \'$1\', "$1", `$1`, ?', [0]],
  ["select 'it''s $1', 'it\\'s $1', $1", "select 'it''s $1', 'it\\'s $1', ?", [0]],
  ['select 1 -- $1\n, $1', 'select 1 -- $1\n, ?', [0]],
  ['select 1 # $1\n, $1', 'select 1 # $1\n, ?', [0]],
  ['select 1--$1', 'select 1--?', [0]],
  ['select /* $1 ? */ $1', 'select /* $1 ? */ ?', [0]],
  ['select a$1, é$1, $1 from t', 'select a$1, é$1, ? from t', [0]],
  ["select 'open $1", "select 'open $1", undefined],
  ['select $1a, $0', 'select $1a, $0', undefined],
])('D0-015: %s becomes %s', (query, sql, order) => {
  expect(translatePlaceholders(query)).toEqual({ sql, order })
})

it('D0-015: refuses a query with both forms', () => {
  expect(() => translatePlaceholders('select ?, $1')).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT' }),
  )
})
