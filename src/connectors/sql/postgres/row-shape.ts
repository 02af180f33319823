import { numberColumns } from '../server/number-columns.ts'
import type { ParseValue, TypeCatalogue } from './type-catalogue.ts'
import type { WireField } from './wire.ts'

/** How the rows of one statement are read: everything that is the same for all of them. */
export interface RowShape {
  readonly columns: readonly string[]
  /** About what a row's column names take in JSON. */
  readonly keyBytes: number
  parse(fields: readonly (string | null)[]): Record<string, unknown>
}

/** Chooses the parsers once a statement. */
export function createRowShape(fields: readonly WireField[], types: TypeCatalogue): RowShape {
  const columns = numberColumns(fields.map(({ name }) => name))
  const parsers = fields.map(({ dataTypeID }) => types.parserOf(dataTypeID))
  const keyBytes = columns.reduce((sum, name) => sum + Buffer.byteLength(name) + 4, 2)
  const parse = columns.includes('__proto__') ? parseSafely : parsePlainly
  return { columns, keyBytes, parse: (values) => parse(columns, parsers, values) }
}

type Values = readonly (string | null)[]

function parsePlainly(columns: readonly string[], parsers: readonly ParseValue[], values: Values) {
  const row: Record<string, unknown> = {}
  for (let index = 0; index < columns.length; index++) {
    const value = values[index]!
    row[columns[index]!] = value === null ? null : parsers[index]!(value)
  }
  return row
}

/** An assignment to `__proto__` would not make a member of that name. */
function parseSafely(columns: readonly string[], parsers: readonly ParseValue[], values: Values) {
  return Object.fromEntries(
    columns.map((name, index) => {
      const value = values[index]!
      return [name, value === null ? null : parsers[index]!(value)]
    }),
  )
}
