import { WeirError } from '../../../core/error.ts'

/** A statement with `?` for every placeholder, and which value each of them takes; undefined: in their order. */
export interface Translation {
  readonly sql: string
  /** From 0, one for each `?`. */
  readonly order: readonly number[] | undefined
}

/** Strings with their backslashes, quoted names and comments, as MariaDB divides them; `--` needs a blank behind it. */
const skipped =
  /'(?:[^'\\]|''|\\[\s\S])*'?|"(?:[^"\\]|""|\\[\s\S])*"?|`(?:[^`]|``)*`?|--(?=\s|$)[^\n]*|#[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?/y
const word = /[A-Za-z0-9_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y
const numbered = /\$([1-9][0-9]{0,4})(?![A-Za-z0-9_$\u0080-\uffff])/y

/**
 * Writes `$2` as `?`, which is all that the server knows (D0-015). A value may then be taken several times or in another
 * order. What is misread here is a wrong number of values, never a value that becomes SQL: the server binds them.
 */
export function translatePlaceholders(query: string): Translation {
  if (!query.includes('$')) return { sql: query, order: undefined }
  const order: number[] = []
  let sql = ''
  let anonymous = false
  for (let at = 0; at < query.length; ) {
    const passed = endOf(skipped, query, at) || endOf(word, query, at)
    const end = passed || endOf(numbered, query, at) || at + 1
    const piece = query.slice(at, end)
    if (!passed && piece.length > 1) {
      order.push(Number(piece.slice(1)) - 1)
      sql += '?'
    } else {
      anonymous ||= piece === '?'
      sql += piece
    }
    at = end
  }
  if (!anonymous || order.length === 0) return { sql, order: order.length === 0 ? undefined : order }
  throw new WeirError('INVALID_INPUT', `The query mixes ? with $${order[0]! + 1}.`, {
    hint: 'Use either ? or $1, $2, … throughout one query.',
  })
}

function endOf(pattern: RegExp, query: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(query) ? pattern.lastIndex : 0
}
