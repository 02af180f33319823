import { z } from 'zod'
import type { Tool } from '../../../core/tool.ts'
import type { Cursors } from '../cursors.ts'
import { resultBytesMax } from './fields.ts'
import { pageFields } from './page-fields.ts'

const input = z.strictObject({
  cursor: z
    .string()
    .min(1)
    .max(100)
    .describe('The `next_cursor` of the page before. It gives one page, and is kept for 60 seconds.'),
})

/** The pages after the first of a result that `execute_query` was told to keep open. */
export function createFetchRows(cursors: Cursors): Tool<z.input<typeof input>> {
  return {
    kind: 'tool',
    name: 'fetch_rows',
    title: 'Read on',
    description:
      'Answers with the next page of a result that was kept open by with_cursor. Each page has a cursor of its own; the last one has none.',
    effect: 'read',
    isOneUse: true,
    input,
    output: z.strictObject(pageFields),
    async run({ cursor }, context) {
      const { page, alias } = await cursors.next(cursor, resultBytesMax, context)
      return { structuredContent: { ...page, database: alias } }
    },
  }
}
