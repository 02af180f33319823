import { z } from 'zod'

/** The most bytes of rows one call answers with: more would hold up every other call while it is parsed. */
export const resultBytesMax = 4 * 1024 * 1024

const scalar = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.strictObject({ $bytes: z.string().describe('Bytes as base64.') }),
  z.strictObject({
    $datetime: z
      .string()
      .max(64)
      .meta({ format: 'date-time' })
      .describe('An instant, ISO 8601 with seconds and zone; the database gets it in its own form.'),
  }),
  z.strictObject({ $json: z.unknown().describe('Any JSON, for a JSON column.') }),
])
const value = z.union([scalar, z.array(scalar).max(10_000)])

/** Values for the placeholders, by position (D0-012, D0-015). */
export const parametersField = z
  .array(value)
  .max(1000)
  .default([])
  .describe(
    'Values for the placeholders, by position: $1 or ? takes the first. Strings, numbers, booleans, null, bytes as {"$bytes": "<base64>"}, instants as {"$datetime": "<ISO 8601>"} or plain strings, JSON as {"$json": …}, and lists where the database has arrays; integers beyond 2^53 and exact decimals as strings.',
  )

/** D1-093: a read is at most 5,000 characters. */
export const readQueryField = z
  .string()
  .min(1)
  .max(5000)
  .describe('One SQL statement that only reads, with $1, $2, … or ? in place of values.')

/** The database's name; an unknown one is an error, never another database (B-05). */
export const databaseField = z.string().describe('Which database, by its configured name.')

/** Rows as objects, column name to value (D0-012). */
export const rowsField = z
  .array(z.record(z.string(), z.unknown()))
  .describe(
    'The rows as column-value objects. Integers beyond 2^53 and decimals of more than 15 digits are strings, bytes {"$bytes": "<base64>"}, dates and times ISO 8601 (instants in UTC), intervals ISO 8601 durations, JSON and arrays themselves; a number that is none is "NaN", "Infinity" or "-Infinity".',
  )

/** Column names in the statement's order, also where there are no rows. */
export const columnsField = z
  .array(z.string())
  .describe('The column names in order; a repeated name is numbered: id, id_2.')

/** How many rows are in the answer (D1-017). */
export const countField = z.int().describe('How many rows this answer holds.')

/** Whether a cap cut the rows off. */
export const truncatedField = z.boolean().describe('True where more rows exist than this answer holds.')

/** Time the database took (D1-017). */
export const executionTimeField = z.number().describe('How long the database worked, in milliseconds.')
