import { createRowBuilder, numberColumns } from '../server/number-columns.ts'
import type { TypeCatalogue } from './type-catalogue.ts'
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
  const build = createRowBuilder(columns)
  return {
    columns,
    keyBytes: columns.reduce((sum, name) => sum + Buffer.byteLength(name) + 4, 2),
    parse: (values) =>
      build((index) => {
        const value = values[index]!
        return value === null ? null : parsers[index]!(value)
      }),
  }
}
