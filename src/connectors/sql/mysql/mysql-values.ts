import { WeirError } from '../../../core/error.ts'
import type { Parameter } from '../dialect.ts'
import {
  checkExactNumber,
  checkParameterCount,
  notAParameter,
  parseBase64,
} from '../server/check-parameters.ts'
import { createRowBuilder, numberColumns } from '../server/number-columns.ts'
import { parseDecimal, parseJson } from '../server/parse-exactly.ts'
import type { Translation } from './placeholders.ts'

/** A value as the driver sends it. */
export type BoundValue = string | number | bigint | Buffer | null

/** Values in the order of the `?` that stand for them. Throws INVALID_INPUT, naming the position from 1. */
export function bindMySqlValues(
  { order }: Translation,
  needed: number,
  parameters: readonly Parameter[],
): readonly BoundValue[] {
  checkParameterCount(order === undefined ? needed : Math.max(...order) + 1, parameters.length)
  const values = parameters.map((value, index) => toValue(value, index + 1))
  return order === undefined ? values : order.map((index) => values[index]!)
}

/** Whole numbers go as integers: as the driver's own doubles `LIMIT ?` would refuse them. */
function toValue(value: unknown, position: number): BoundValue {
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') {
    checkExactNumber(value, position)
    return Number.isSafeInteger(value) ? BigInt(value) : value
  }
  if (typeof value !== 'object') throw notAParameter(position)
  if (Array.isArray(value)) {
    throw new WeirError(
      'INVALID_INPUT',
      `Parameter ${position} is a list, which this database does not have.`,
      {
        hint: 'Pass it as {"$json": […]}, or give each value a placeholder of its own.',
      },
    )
  }
  if ('$json' in value) return JSON.stringify(value.$json)
  if ('$datetime' in value) return toDateTime(value.$datetime, position)
  const bytes = '$bytes' in value ? parseBase64(value.$bytes) : undefined
  if (bytes === undefined) throw notAParameter(position)
  return bytes
}

/** The session’s zone is UTC, and the server takes no zone in a literal. */
function toDateTime(text: unknown, position: number): string {
  const instant = new Date(String(text))
  if (Number.isNaN(instant.getTime())) throw notAParameter(position)
  return instant.toISOString().slice(0, -1).replace('T', ' ')
}

/** A column as the driver describes it. */
export interface MySqlField {
  readonly name: string
  /** `columnType` of the protocol. */
  readonly columnType?: number
  readonly extendedFormat?: string
}

/** How the rows of one statement are read. */
export interface MySqlShape {
  readonly columns: readonly string[]
  /** What the column names take in JSON, about. */
  readonly keyBytes: number
  parse(values: readonly unknown[]): Record<string, unknown>
}

type Convert = (value: unknown) => unknown

/** Chooses once a statement how each column becomes JSON without loss (B-41). */
export function createMySqlShape(fields: readonly MySqlField[]): MySqlShape {
  const columns = numberColumns(fields.map(({ name }) => name))
  const converters = fields.map(converterOf)
  const build = createRowBuilder(columns)
  return {
    columns,
    keyBytes: columns.reduce((sum, name) => sum + Buffer.byteLength(name) + 4, 2),
    parse: (values) =>
      build((index) => {
        const value = values[index]
        return value === null ? null : converters[index]!(value)
      }),
  }
}

/** Numbers of the protocol. A TIMESTAMP is an instant; a DATETIME has no zone. */
const types = { float: 4, double: 5, timestamp: 7, dateTime: 12, json: 245, decimal: 246 }

function converterOf({ columnType, extendedFormat }: MySqlField): Convert {
  if (extendedFormat === 'json' || columnType === types.json) return (value) => parseJson(String(value))
  switch (columnType) {
    case types.decimal:
      return (value) => parseDecimal(String(value))
    case types.float:
      // Four bytes hold seven digits; as a double it would show digits that were never stored.
      return (value) => Number((value as number).toPrecision(7))
    case types.timestamp:
      return (value) => `${String(value).replace(' ', 'T')}Z`
    case types.dateTime:
      return (value) => String(value).replace(' ', 'T')
    default:
      return (value) => (Buffer.isBuffer(value) ? { $bytes: value.toString('base64') } : value)
  }
}

/** About what a row takes in JSON, its column names aside. */
export function sizeOfRow(values: readonly unknown[]): number {
  let bytes = 0
  for (const value of values) {
    if (typeof value === 'string') bytes += value.length + 3
    else bytes += Buffer.isBuffer(value) ? Math.ceil(value.length / 3) * 4 + 14 : 8
  }
  return bytes
}
