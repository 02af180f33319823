import { type Clock, systemClock } from '../../core/clock.ts'
import { type Connection, type Connector, defineConnector, type OpenContext } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Target, Tool } from '../../core/tool.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { createSqlConfig, type SqlConfig } from './config.ts'
import { Cursors } from './cursors.ts'
import { Databases } from './databases.ts'
import { createDeclaredTool } from './declared/create-declared-tool.ts'
import { findDialect } from './dialects.ts'
import { createExecuteParallelQueries } from './tools/execute-parallel-queries.ts'
import { createExecuteQuery } from './tools/execute-query.ts'
import { createExecuteTransaction } from './tools/execute-transaction.ts'
import { createFetchRows } from './tools/fetch-rows.ts'
import { createGetSchema } from './tools/get-schema.ts'
import { type CompileSchema, ResultCheck } from './tools/result-check.ts'
import { watchDatabase } from './watch-database.ts'

/** What a call may take where nothing says otherwise (C-07), and what it needs beside its statement. */
const callTimeoutMs = 30_000
const callOverheadMs = 5000

/** What the connector needs of Weir. */
export interface SqlParts {
  readonly compileSchema: CompileSchema
  readonly metrics?: Metrics
  readonly clock?: Clock
}

/** SQL databases (D0-010): one connection, any number of databases, the same few tools for all of them, and declared ones. */
export function createSqlConnector({
  compileSchema,
  metrics,
  clock = systemClock,
}: SqlParts): Connector<SqlConfig> {
  return defineConnector<SqlConfig>({
    type: 'sql',
    summary: 'Query and change SQL databases, within limits that the database itself enforces.',
    config: createSqlConfig(compileSchema),
    async open(config, context) {
      context.signal.throwIfAborted()
      const databases = openDatabases(config, context, metrics)
      const cursors = new Cursors(clock)
      const targets = createTools(config, { databases, cursors, compileSchema })
      return {
        targets: () => targets,
        check: (signal) => check(databases, signal),
        async close() {
          await cursors.close()
          await databases.close()
        },
      } satisfies Connection
    },
  })
}

function openDatabases(config: SqlConfig, { baseDir }: OpenContext, metrics: Metrics | undefined): Databases {
  const open = Object.entries(config.databases).map(([alias, each]) => {
    const dialect = findDialect(each.url)!
    const opened = dialect.open(alias, each, baseDir)
    const database = watchDatabase(opened, { system: dialect.system, namespace: alias }, metrics)
    return [alias, { database, isolation: each.isolation }] as const
  })
  return new Databases(new Map(open))
}

interface ToolParts {
  readonly databases: Databases
  readonly cursors: Cursors
  readonly compileSchema: CompileSchema
}

/** execute_transaction is offered only where some database may be written. */
function createTools(config: SqlConfig, { databases, cursors, compileSchema }: ToolParts): readonly Target[] {
  const each = Object.values(config.databases)
  const slowestMs = Math.max(...each.map(({ statementTimeoutMs }) => statementTimeoutMs)) + callOverheadMs
  const timeout = slowestMs > callTimeoutMs ? { timeoutMs: slowestMs } : {}
  const resultCheck = new ResultCheck(compileSchema)
  const systems = { field: 'database', names: Object.keys(config.databases) }
  const offer = <I>(tool: Tool<I>) => ({ ...tool, ...timeout, systems }) as Target
  return [
    offer(createExecuteQuery(databases, cursors, resultCheck)),
    ...(each.some(({ write }) => write) ? [offer(createExecuteTransaction(databases))] : []),
    offer(createGetSchema(databases)),
    offer(createExecuteParallelQueries(databases, resultCheck)),
    offer(createFetchRows(cursors)),
    ...Object.entries(config.tools).map(([name, tool]) =>
      offer(createDeclaredTool(name, tool, { databases, compileSchema })),
    ),
  ]
}

/** Rejects with the first database that does not answer; its error names it. */
async function check(databases: Databases, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const patience = { signal, deadlineMs: Number.POSITIVE_INFINITY }
  const outcomes = await Promise.allSettled(databases.all().map((database) => database.check(patience)))
  const down = outcomes.filter((outcome) => outcome.status === 'rejected')
  if (down.length === 0) return
  if (down.length === 1) throw down[0]!.reason
  const messages = down.map(({ reason }) => (reason as Error).message)
  throw new WeirError('DATABASE_UNAVAILABLE', messages.join(' '), { cause: down[0]!.reason })
}
