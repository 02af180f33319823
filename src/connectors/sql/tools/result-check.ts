import { z } from 'zod'
import { WeirError } from '../../../core/error.ts'
import type { JsonSchema, SchemaIssue } from '../../../core/schema.ts'
import type { RowSet } from '../dialect.ts'

/** Compiles a JSON Schema that somebody else wrote; `createSqlConnector` is given one. */
export type CompileSchema = (schema: JsonSchema) => (value: unknown) => readonly SchemaIssue[]

/** Schemas kept compiled, the least recently used given up first: agents send the same few again and again. */
const compiledMax = 64
const faultsMax = 10
const correctIt = 'Correct expected_schema or the query, or pass quality_validation: false to see the rows.'

/** What the rows were held to (D1-017); null where nothing was asked for. */
export interface QualityReport {
  readonly passed: true
  readonly rows_checked: number
}

/** D1-017: whether `expected_schema` counts. */
export const qualityValidationField = z
  .boolean()
  .default(true)
  .describe('Whether expected_schema is enforced; false: the rows are answered as they are.')

/** D1-017, B-38. */
export const expectedSchemaField = z
  .record(z.string(), z.unknown())
  .optional()
  .describe(
    'A JSON Schema (2020-12 or draft-07) for each row, or for the list of rows where its type is array. Rows that do not fit fail the call with QUALITY_REJECTED.',
  )

/** D1-017. */
export const qualityField = z
  .strictObject({
    passed: z.literal(true).describe('Always true: what does not pass is an error.'),
    rows_checked: z.int().describe('How many rows were held to expected_schema.'),
  })
  .nullable()
  .describe('What expected_schema was checked on; null where none was given or enforced.')

/** Throws QUALITY_REJECTED, with the first faults, where rows do not fit. */
export type RowCheck = (rows: RowSet['rows']) => QualityReport

/** Holds rows to a schema that comes with the call (D1-022). */
export class ResultCheck {
  readonly #compile: CompileSchema
  readonly #compiled = new Map<string, (value: unknown) => readonly SchemaIssue[]>()

  constructor(compile: CompileSchema) {
    this.#compile = compile
  }

  /** Compiles the schema before anything runs: INVALID_INPUT where it is none. `undefined`: nothing to check. */
  prepare(schema: JsonSchema | undefined, isOn = true): RowCheck | undefined {
    if (schema === undefined || !isOn) return undefined
    return createRowCheck(this.#find(schema), { isForList: schema['type'] === 'array', hint: correctIt })
  }

  #find(schema: JsonSchema): (value: unknown) => readonly SchemaIssue[] {
    const key = JSON.stringify(schema)
    const known = this.#compiled.get(key) ?? this.#compileOne(schema)
    this.#compiled.delete(key)
    if (this.#compiled.size >= compiledMax) this.#compiled.delete(this.#compiled.keys().next().value!)
    this.#compiled.set(key, known)
    return known
  }

  #compileOne(schema: JsonSchema): (value: unknown) => readonly SchemaIssue[] {
    try {
      return this.#compile(schema)
    } catch (cause) {
      throw new WeirError('INVALID_INPUT', `expected_schema cannot be used: ${(cause as Error).message}.`, {
        hint: 'Give a JSON Schema of draft 2020-12 or draft-07, without references to elsewhere.',
        cause,
      })
    }
  }
}

/** Holds each row, or the list of them, to a compiled schema. `hint` says what to do about rows that do not fit. */
export function createRowCheck(
  check: (value: unknown) => readonly SchemaIssue[],
  { isForList, hint }: { readonly isForList: boolean; readonly hint: string },
): RowCheck {
  return (rows) => {
    const faults = isForList ? nameFaults(check(rows)) : listFaults(rows, check)
    if (faults.length > 0) throw rejected(faults, hint)
    return { passed: true, rows_checked: rows.length }
  }
}

interface Fault {
  readonly path: string
  readonly message: string
}

function listFaults(
  rows: readonly unknown[],
  check: (value: unknown) => readonly SchemaIssue[],
): readonly Fault[] {
  const faults: Fault[] = []
  for (const [index, row] of rows.entries()) {
    faults.push(...nameFaults(check(row), `/${index}`))
    if (faults.length >= faultsMax) break
  }
  return faults.slice(0, faultsMax)
}

function nameFaults(issues: readonly SchemaIssue[], prefix = ''): readonly Fault[] {
  return issues.map(({ path, message }) => ({ path: `${prefix}${path}`, message }))
}

function rejected(faults: readonly Fault[], hint: string): WeirError {
  const [first] = faults
  const message = `The rows are not as expected: ${first!.path || 'the list'} ${first!.message}.`
  return new WeirError('QUALITY_REJECTED', message, { hint, data: { faults } })
}
