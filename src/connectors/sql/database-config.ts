import { z } from 'zod'
import { type DatabaseConfig, isolationLevels } from './dialect.ts'
import { findDialect, problemOfUrl } from './dialects.ts'

const url = z
  .string()
  .describe(
    'Where the database is. SQLite: `sqlite:./data/app.db`, relative to the config file, or `sqlite:///var/lib/app.db`, absolute; the path is taken as it stands, without percent-decoding. PostgreSQL: `postgres://user:password@host:5432/database`, with the options `sslmode` (`disable`, `require`, `verify-ca`, `verify-full`; all but the first verify the server) and `application_name`; the folder of a Unix socket stands for the host with `%2F` for `/`. MariaDB and MySQL: `mysql://user:password@host:3306/database`, with `sslmode`.',
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

const fields = z.strictObject({
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
    .optional()
    .describe(
      'SQLite only: how many statements may read at the same time, each in a small process; 2 where absent.',
    ),
  pool: pool.optional().describe('Database servers only: the sessions there, opened when they are needed.'),
  tls: tls
    .optional()
    .describe(
      'Database servers only: TLS, always verified and never left out because a server does not offer it. By default it is on, but for hosts that are this machine.',
    ),
  allowAdminRole: z
    .boolean()
    .optional()
    .describe(
      'Database servers only: whether the user in the URL may be one that reaches beyond its database, such as a superuser; false where absent. Reads are then kept from writing rows, and from nothing else.',
    ),
  isolation: z
    .enum(isolationLevels)
    .optional()
    .describe(
      'Database servers only: how far a transaction is kept apart from others where its call does not say; the server’s own default where absent.',
    ),
})

/** What only some dialects can use. One that cannot says so, rather than let an operator believe in it. */
const dialectOptions = ['readers', 'pool', 'tls', 'allowAdminRole', 'isolation'] as const

/** One database's config (C-09, D1-013). What it leaves out is filled in after it is known what was given. */
export const databaseConfig = fields
  .superRefine((given, context) => {
    const dialect = findDialect(given.url)
    if (dialect === undefined) return
    for (const option of dialectOptions) {
      if (given[option] === undefined || dialect.options.includes(option)) continue
      const used = dialect.options.map((each) => `\`${each}\``).join(', ')
      const message = `${dialect.title} has no use for it; its own options are ${used}`
      context.addIssue({ code: 'custom', path: [option], message })
    }
  })
  .transform(
    ({ readers = 2, pool: sessions = pool.parse({}), allowAdminRole = false, ...given }): DatabaseConfig => ({
      ...given,
      readers,
      pool: sessions,
      allowAdminRole,
    }),
  )
