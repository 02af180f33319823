import { z } from 'zod'
import { databaseConfig } from './database-config.ts'
import { checkDeclared } from './declared/check-declared.ts'
import { declaredTool } from './declared/declared-config.ts'
import type { CompileSchema } from './tools/result-check.ts'

/** The tools that a connection has whatever it declares. */
const builtInTools = [
  'execute_query',
  'execute_transaction',
  'get_schema',
  'execute_parallel_queries',
  'fetch_rows',
] as const

const fields = z.strictObject({
  databases: z
    .record(
      z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a letter, then letters, digits, `_` and `-`'),
      databaseConfig.describe('One database.'),
    )
    .refine((databases) => Object.keys(databases).length > 0, 'at least one database')
    .describe('The databases by the name that tools call them by.'),
  tools: z
    .record(
      z.string().regex(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/, 'lower-case words with `_` between them'),
      declaredTool.describe('One statement.'),
    )
    .default({})
    .describe(
      'Statements of yours that become tools of their own, with typed parameters, by the tool’s name.',
    ),
})

export type SqlConfig = z.infer<typeof fields>

/** The config of one `sql` connection. A declared tool's schemas are compiled, so that a fault in one is told at the start. */
export function createSqlConfig(compileSchema: CompileSchema) {
  return fields.superRefine((config, context) => {
    for (const { path, message } of checkDeclared(config, builtInTools, compileSchema)) {
      context.addIssue({ code: 'custom', path: ['tools', ...path], message })
    }
  })
}
