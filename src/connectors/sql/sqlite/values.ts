import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { WeirError } from '../../../core/error.ts'
import type { Parameter } from '../dialect.ts'
import { renderInstant } from '../render-instant.ts'

/**
 * A parameter as SQLite stores it. Whole numbers become INTEGER (a driver would make them REAL, and `$1 || ''`
 * would read `5.0`), booleans 1 and 0; `position` counts from 1 and names the parameter in an error.
 */
export function parseParameter(value: Parameter, position: number): SQLInputValue {
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number') return parseNumber(value, position)
  if (Array.isArray(value))
    throw notStorable(position, 'a list, which SQLite does not have', 'Pass it as {"$json": […]}.')
  if ('$json' in value) return JSON.stringify(value.$json) ?? null
  if ('$datetime' in value) return parseInstant(value.$datetime, position)
  const bytes = '$bytes' in value ? value.$bytes : undefined
  if (typeof bytes === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(bytes) && bytes.length % 4 === 0) {
    return Buffer.from(bytes, 'base64')
  }
  throw notStorable(
    position,
    'not a value that SQL has',
    'Pass a string, a number, a boolean, null, {"$bytes": "<base64>"}, {"$datetime": "<ISO 8601>"} or {"$json": …}.',
  )
}

/** SQLite has no type for instants; its own functions read ISO 8601 in UTC. */
function parseInstant(text: unknown, position: number): string {
  const instant = renderInstant(String(text))
  if (instant !== undefined) return instant
  const hint = 'Pass a date with its time and zone, such as 2026-11-05T10:00:00Z.'
  throw notStorable(position, `no instant: ${JSON.stringify(String(text).slice(0, 50))}`, hint)
}

function notStorable(position: number, why: string, hint: string): WeirError {
  return new WeirError('INVALID_INPUT', `Parameter ${position} is ${why}.`, {
    hint,
    data: { parameter: position },
  })
}

function parseNumber(value: number, position: number): SQLInputValue {
  if (!Number.isInteger(value)) return value
  if (Number.isSafeInteger(value)) return BigInt(value)
  if (Math.abs(value) >= 2 ** 63) return value
  throw new WeirError(
    'INVALID_INPUT',
    `Parameter ${position}, ${value}, is too large to be exact as a JSON number.`,
    {
      hint: 'Pass integers beyond 2^53 as decimal strings.',
    },
  )
}

/**
 * A value as JSON text, so that nothing is lost (B-41): integers beyond 2^53 are decimal strings, bytes are
 * `{"$bytes": base64}`, an infinite REAL is the string `Infinity` or `-Infinity`.
 */
export function renderValue(value: SQLOutputValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`
  if (typeof value === 'bigint') return renderInteger(value)
  return `{"$bytes":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"}`
}

/** An integer as JSON text: a number where that is exact, else a decimal string. */
export function renderInteger(value: bigint | number): string {
  return Number.isSafeInteger(Number(value)) ? String(value) : `"${value}"`
}
