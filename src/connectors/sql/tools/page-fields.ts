import { z } from 'zod'
import {
  columnsField,
  countField,
  databaseField,
  executionTimeField,
  rowsField,
  truncatedField,
} from './fields.ts'
import { qualityField } from './result-check.ts'

/** What every answer with rows holds; `next_cursor` where the result is kept open. */
export const pageFields = {
  rows: rowsField,
  columns: columnsField,
  count: countField,
  truncated: truncatedField,
  execution_time_ms: executionTimeField,
  next_cursor: z
    .string()
    .optional()
    .describe('What fetch_rows gives the next page for; absent with the last page, and without with_cursor.'),
  quality_validation: qualityField,
  database: databaseField,
}
