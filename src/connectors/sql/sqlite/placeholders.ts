import { WeirError } from '../../../core/error.ts'

/**
 * A statement's placeholders (D0-015). Anonymous ones, `?`, take values in the order they stand in; numbered ones,
 * `$2` or `?2`, take the value of their number, wherever they stand. SQLite alone would treat `$2` as a name.
 */
export interface Placeholders {
  /** How many values the statement needs. */
  readonly count: number
  /** The distinct numbered placeholders as they are written; empty where they are anonymous. */
  readonly numbered: readonly { readonly name: string; readonly index: number }[]
}

const skipped =
  /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?/y
const word = /[A-Za-z0-9_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y
/** A name may go on with `::` and one pair of brackets, so `$1::text` is no `$1`; such a name is refused. */
const placeholder = /\?[0-9]*|[$@:#](?:[A-Za-z0-9_$\u0080-\uffff]|::)+(?:\([^\s)]*\))?/y

/** Finds the placeholders outside strings, quoted names and comments, as SQLite's own tokenizer divides them. */
export function parsePlaceholders(query: string): Placeholders {
  const numbered = new Map<string, number>()
  let anonymous = 0
  for (let at = 0; at < query.length; ) {
    const passed = endOf(skipped, query, at) || endOf(word, query, at)
    const end = passed || endOf(placeholder, query, at)
    if (!passed && end) {
      const name = query.slice(at, end)
      if (name === '?') anonymous++
      else numbered.set(name, numberOf(name))
    }
    at = end || at + 1
  }
  if (anonymous > 0 && numbered.size > 0) {
    throw new WeirError('INVALID_INPUT', `The query mixes ? with ${[...numbered.keys()][0]}.`, {
      hint: 'Use either ? or $1, $2, … throughout one query.',
    })
  }
  return {
    count: anonymous || Math.max(0, ...numbered.values()),
    numbered: [...numbered].map(([name, number]) => ({ name, index: number - 1 })),
  }
}

function endOf(pattern: RegExp, query: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(query) ? pattern.lastIndex : 0
}

function numberOf(name: string): number {
  if (/^[$?][1-9][0-9]{0,4}$/.test(name)) return Number(name.slice(1))
  throw new WeirError('INVALID_INPUT', `The query has the placeholder ${name}, and values go by position.`, {
    hint: 'Write placeholders as $1, $2, … or as ?.',
  })
}
