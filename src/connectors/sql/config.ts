import { z } from 'zod'
import { checkDeclared } from './declared/check-declared.ts'
import { declaredTool } from './declared/declared-config.ts'
import { problemOfUrl } from './dialects.ts'

const url = z
  .string()
  .describe(
    'Where the database is. SQLite: `sqlite:./data/app.db`, relative to the config file, or `sqlite:///var/lib/app.db`, absolute; the path is taken as it stands, without percent-decoding.',
  )
  .superRefine((value, context) => {
    const problem = problemOfUrl(value)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })

const database = z.strictObject({
  url,
  write: z
    .boolean()
    .default(false)
    .describe('Whether execute_transaction may change it. A missing SQLite file is then created.'),
  rowsMax: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('The most rows one statement answers with; more are cut off, and `truncated` says so.'),
  statementTimeoutMs: z
    .int()
    .min(20)
    .max(600_000)
    .default(10_000)
    .describe('How long a statement or a whole transaction may run before it is killed, in milliseconds.'),
  readers: z
    .int()
    .min(1)
    .max(16)
    .default(2)
    .describe('How many statements may read at the same time. For SQLite each takes a small process.'),
})

/** The tools that a connection has whatever it declares. */
const builtInTools = [
  'execute_query',
  'execute_transaction',
  'get_schema',
  'execute_parallel_queries',
  'fetch_rows',
] as const

/** The config of one `sql` connection. */
export const sqlConfig = z
  .strictObject({
    databases: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a letter, then letters, digits, `_` and `-`'),
        database.describe('One database.'),
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
  .superRefine(({ tools, databases }, context) => {
    for (const { path, message } of checkDeclared(tools, databases, builtInTools)) {
      context.addIssue({ code: 'custom', path: ['tools', ...path], message })
    }
  })

export type SqlConfig = z.infer<typeof sqlConfig>
