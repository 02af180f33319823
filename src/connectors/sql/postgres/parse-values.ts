/** Reads one value as PostgreSQL writes it in text. */
export type ParseValue = (text: string) => unknown

/** As it stands: text, uuid, date, time, interval and whatever has no form of its own in JSON. */
export const parseText: ParseValue = (text) => text

/** `t` or `f`. */
export const parseBoolean: ParseValue = (text) => text === 't'

/** An integer: a number where that is exact, else its decimal digits (B-41). */
export const parseInteger: ParseValue = (text) => {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : text
}

/** A float, of which every finite one is a JSON number; `NaN`, `Infinity` and `-Infinity` are strings. */
export const parseFloat64: ParseValue = (text) => {
  const number = Number(text)
  return Number.isFinite(number) ? number : text
}

/** `\x` and hex digits become `{"$bytes": base64}`. */
export const parseBytes: ParseValue = (text) => {
  if (!text.startsWith('\\x')) return text
  return { $bytes: Buffer.from(text.slice(2), 'hex').toString('base64') }
}

/** `2026-11-05 10:00:00.5` becomes ISO 8601; `infinity` and years before Christ stay as they are. */
export const parseTimestamp: ParseValue = (text) =>
  text.charCodeAt(10) === space ? `${text.slice(0, 10)}T${text.slice(11)}` : text

/** The same with its zone, which is `Z` as long as nobody asked for another one. */
export const parseInstant: ParseValue = (text) => {
  if (text.charCodeAt(10) !== space || text.endsWith(' BC')) return text
  const moment = `${text.slice(0, 10)}T${text.slice(11)}`
  if (moment.endsWith('+00')) return `${moment.slice(0, -3)}Z`
  return /[+-]\d\d$/.test(moment) ? `${moment}:00` : moment
}

const space = 32

/** An array of any depth, `{a,"b c",NULL}`, with a parser for its elements. */
export function createArrayParser(parseElement: ParseValue, delimiter = ','): ParseValue {
  return (text) => {
    const reader = { text, at: text.startsWith('[') ? text.indexOf('=') + 1 : 0, delimiter, parseElement }
    return reader.text[reader.at] === '{' ? readArray(reader) : text
  }
}

interface ArrayReader {
  readonly text: string
  readonly delimiter: string
  readonly parseElement: ParseValue
  at: number
}

function readArray(reader: ArrayReader): unknown[] {
  const elements: unknown[] = []
  reader.at++
  while (reader.at < reader.text.length) {
    const char = reader.text[reader.at]!
    if (char === '}') {
      reader.at++
      break
    }
    if (char === reader.delimiter) reader.at++
    else if (char === '{') elements.push(readArray(reader))
    else if (char === '"') elements.push(reader.parseElement(readQuoted(reader)))
    else elements.push(readBare(reader))
  }
  return elements
}

function readQuoted(reader: ArrayReader): string {
  const { text } = reader
  let value = ''
  for (reader.at++; reader.at < text.length && text[reader.at] !== '"'; reader.at++) {
    if (text[reader.at] === '\\') reader.at++
    value += text[reader.at]
  }
  reader.at++
  return value
}

function readBare(reader: ArrayReader): unknown {
  const { text, delimiter } = reader
  const start = reader.at
  while (reader.at < text.length && text[reader.at] !== delimiter && text[reader.at] !== '}') reader.at++
  const bare = text.slice(start, reader.at)
  return bare === 'NULL' ? null : reader.parseElement(bare)
}
