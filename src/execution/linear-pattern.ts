import { RE2JS, RE2JSSyntaxException } from 're2js'

/** A pattern ready to run; prints as its source, by which the schema compiler tells two patterns apart. */
export interface LinearPattern {
  test(text: string): boolean
  toString(): string
}

/**
 * Compiles a pattern from outside to run in linear time, so that no text can hang the process (S17). Undefined where
 * it needs what no linear engine can do: to look around or back.
 */
export function compileLinearPattern(source: string): LinearPattern | undefined {
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(source))
    return { test: (text) => compiled.test(text), toString: () => source }
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return undefined
    throw error
  }
}

const repetition = /\{(\d{1,6})(?:,(\d{0,6}))?\}/y

/**
 * How large a program the pattern becomes, about one for each character: `(ab){100}` spells out its group a hundred
 * times. Reads the text alone, so that a bomb is known before it is built.
 */
export function measurePattern(source: string): number {
  const outer: number[] = []
  let total = 0
  let last = 0
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at]!
    if (char === '(') {
      outer.push(total)
      total = 0
      continue
    }
    if (char === ')') {
      last = total + 2
      total = (outer.pop() ?? 0) + last
      continue
    }
    repetition.lastIndex = at
    const times = char === '{' ? repetition.exec(source) : null
    if (times !== null) {
      total += last * Math.max(0, Number(times[2] || times[1]) - 1)
      at = repetition.lastIndex - 1
      continue
    }
    if (char === '\\') at += 1
    else if (char === '[') at = endOfClass(source, at)
    last = 1
    total += last
  }
  return total + outer.reduce((sum, one) => sum + one, 0)
}

function endOfClass(source: string, start: number): number {
  let at = start + 1
  while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1
  return at
}
