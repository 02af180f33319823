import { z } from 'zod'
import { checkDeclared } from './declared/check-declared.ts'
import { declaredTool } from './declared/declared-config.ts'
import { problemOfUrl } from './dialects.ts'

const url = z
  .string()
  .describe(
    'Where the database is. SQLite: `sqlite:./data/app.db`, relative to the config file, or `sqlite:///var/lib/app.db`, absolute; the path is taken as it stands, without percent-decoding. PostgreSQL: `postgres://user:password@host:5432/database`, with the options `sslmode` (`disable`, `require`, `verify-ca`, `verify-full`; all but the first verify the server) and `application_name`; the folder of a Unix socket stands for the host with `%2F` for `/`. MariaDB and MySQL: `mysql://user:password@host:3306/database`, with the option `sslmode`.',
  )
  .superRefine((value, context) => {
    const problem = problemOfUrl(value)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })

const pool = z
  .strictObject({
    min: z.int().min(0).max(100).default(5).describe('How many stay open while nobody uses them.'),
    max: z
      .int()
      .min(1)
      .max(100)
      .default(20)
      .describe(
        'The most that are open at once; with `write: true` a quarter of them writes, and the rest reads.',
      ),
    idleMs: z
      .int()
      .min(1000)
      .max(3_600_000)
      .default(300_000)
      .describe('How long one beyond those may be idle before it is closed, in milliseconds.'),
  })
  .refine(({ min, max }) => min <= max, { path: ['min'], message: 'no more than `max`' })

const tls = z.union([
  z.boolean(),
  z.strictObject({
    ca: z.string().optional().describe('The authority that signed the server’s certificate, in PEM.'),
    cert: z.string().optional().describe('The certificate that Weir shows, in PEM.'),
    key: z.string().optional().describe('The private key of that certificate, in PEM.'),
    serverName: z
      .string()
      .optional()
      .describe('The name in the server’s certificate, where it is not the host’s.'),
  }),
])

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
  pool: pool
    .prefault({})
    .describe('The sessions at a database server, opened when they are needed. SQLite has none.'),
  tls: tls
    .optional()
    .describe(
      'TLS to a database server, always verified and never left out because a server does not offer it. By default it is on, but for hosts that are this machine.',
    ),
  allowAdminRole: z
    .boolean()
    .default(false)
    .describe(
      'Whether the user in the URL may be one that reaches beyond its database, such as a superuser. Reads are then kept from writing rows, and from nothing else.',
    ),
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
