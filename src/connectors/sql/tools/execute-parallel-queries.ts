import { z } from 'zod'
import { renderError, toWeirError, WeirError } from '../../../core/error.ts'
import type { Tool } from '../../../core/tool.ts'
import type { Databases } from '../databases.ts'
import type { Database, Patience } from '../dialect.ts'
import {
  columnsField,
  countField,
  databaseField,
  executionTimeField,
  parametersField,
  readQueryField,
  resultBytesMax,
  rowsField,
  truncatedField,
} from './fields.ts'
import {
  expectedSchemaField,
  qualityField,
  qualityValidationField,
  type ResultCheck,
  type RowCheck,
} from './result-check.ts'

const input = z.strictObject({
  queries: z
    .array(
      z.strictObject({
        query: readQueryField,
        parameters: parametersField,
        alias: z
          .string()
          .min(1)
          .max(64)
          .describe('The name under which this query’s result is found; each name once.'),
        expected_schema: expectedSchemaField,
      }),
    )
    .min(1)
    .max(50)
    .describe('The queries. They run at the same time, as far as the database has readers.'),
  database: databaseField,
  quality_validation: qualityValidationField,
})

const output = z.strictObject({
  results: z
    .record(
      z.string(),
      z.union([
        z.strictObject({
          rows: rowsField,
          columns: columnsField,
          count: countField,
          truncated: truncatedField,
          execution_time_ms: executionTimeField,
          quality_validation: qualityField,
        }),
        z.strictObject({
          error: z
            .strictObject({
              code: z.string().describe('The error code.'),
              message: z.string().describe('What happened.'),
              hint: z.string().optional().describe('What to do about it.'),
            })
            .describe('Why this query failed; the others are not affected.'),
        }),
      ]),
    )
    .describe('Each query’s rows or its error, by alias.'),
  database: databaseField,
})

type Input = z.input<typeof input>
type Query = Input['queries'][number]

/** D1-019. One failing query leaves the others their results. */
export function createExecuteParallelQueries(databases: Databases, check: ResultCheck): Tool<Input> {
  return {
    kind: 'tool',
    name: 'execute_parallel_queries',
    title: 'Run several queries at once',
    description:
      'Runs up to 50 SQL statements that only read, at the same time, and answers by alias. They share one limit on the size of the answer.',
    effect: 'read',
    input,
    output,
    async run({ queries, database: name, quality_validation: isChecked }, context) {
      refuseRepeats(queries.map(({ alias }) => alias))
      const database = databases.get(name)
      const bytesMax = Math.floor(resultBytesMax / queries.length)
      const jobs = queries.map((query) => ({
        query,
        holdTo: check.prepare(query.expected_schema, isChecked),
      }))
      const results = await Promise.all(
        jobs.map(async (job) => [job.query.alias, await attempt(database, job, bytesMax, context)] as const),
      )
      // Once the caller has left there is nobody to show a partial answer to.
      if (context.stop.aborted) throw context.stop.reason
      return { structuredContent: { results: Object.fromEntries(results), database: name } }
    },
  }
}

interface Job {
  readonly query: Query
  readonly holdTo: RowCheck | undefined
}

async function attempt(database: Database, { query, holdTo }: Job, bytesMax: number, patience: Patience) {
  try {
    const { query: text, parameters } = query
    const rowSet = await database.read({ query: text, parameters }, bytesMax, patience)
    return { ...rowSet, quality_validation: holdTo?.(rowSet.rows) ?? null }
  } catch (thrown) {
    const { code, message, hint } = renderError(toWeirError(thrown))
    return { error: { code, message, ...(hint === undefined ? {} : { hint }) } }
  }
}

function refuseRepeats(aliases: readonly string[]): void {
  const repeated = aliases.find((alias, index) => aliases.indexOf(alias) !== index)
  if (repeated === undefined) return
  throw new WeirError('INVALID_INPUT', `The alias ${JSON.stringify(repeated)} is used more than once.`, {
    hint: 'Give every query an alias of its own.',
  })
}
