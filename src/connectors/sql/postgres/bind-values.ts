import type { Parameter } from '../dialect.ts'
import {
  checkExactNumber,
  checkParameterCount,
  notAParameter,
  parseBase64,
} from '../server/check-parameters.ts'
import { jsonTypes } from './type-catalogue.ts'

/**
 * Parameters as PostgreSQL reads them in text (D0-015, D0-023); the server has said which type each one has. Throws
 * INVALID_INPUT, naming the position from 1.
 */
export function bindValues(
  types: readonly number[],
  parameters: readonly Parameter[],
): readonly (string | null)[] {
  checkParameterCount(types.length, parameters.length)
  return parameters.map((value, index) => renderParameter(value, jsonTypes.has(types[index]!), index + 1))
}

function renderParameter(value: unknown, isJson: boolean, position: number): string | null {
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    checkExactNumber(value, position)
    return String(value)
  }
  if (Array.isArray(value)) return isJson ? JSON.stringify(value) : renderArray(value, position)
  return renderTagged(value, position)
}

function renderTagged(value: unknown, position: number): string {
  if (typeof value !== 'object' || value === null) throw notAParameter(position)
  if ('$bytes' in value) {
    const bytes = parseBase64(value.$bytes)
    if (bytes !== undefined) return `\\x${bytes.toString('hex')}`
  }
  if ('$datetime' in value && typeof value.$datetime === 'string') return value.$datetime
  if ('$json' in value) return JSON.stringify(value.$json)
  throw notAParameter(position)
}

function renderArray(values: readonly unknown[], position: number): string {
  const elements = values.map((value) => {
    if (Array.isArray(value)) return renderArray(value, position)
    const text = renderParameter(value, false, position)
    return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`
  })
  return `{${elements.join()}}`
}
