import type { Span } from '../../core/trace.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Database, Patience, Statement } from './dialect.ts'

/** The context of a call, as far as it is recorded. */
type Recorded = Patience & { readonly span?: Span | undefined }

/** What a span says of where its statements went, by the conventions for databases. */
export interface DatabaseName {
  /** `postgresql`, `mariadb`, `sqlite`. */
  readonly system: string
  readonly namespace: string
}

/**
 * The same database, whose work is measured (D3-104), and recorded where its call is: each read and each transaction as a
 * span (D1-020, B-37).
 */
export function watchDatabase(
  database: Database,
  { system, namespace }: DatabaseName,
  metrics: Metrics | undefined,
): Database {
  const durations = createDurations(metrics)
  if (metrics !== undefined)
    metrics.counter('database_pool_created', 'Databases opened.', { database_type: system }).value += 1
  const recordIn = async <T>(parent: Span, statements: readonly Statement[], run: () => Promise<T>) => {
    const [first] = statements
    const operation = statements.length === 1 ? verbOf(first!.query) : 'BATCH'
    const span = parent.child(`${operation} ${namespace}`, {
      'db.system.name': system,
      'db.namespace': namespace,
      'db.operation.name': operation,
      'db.query.text': statements
        .slice(0, statementsMax)
        .map(({ query }) => withoutLiterals(query, system))
        .join('; '),
      ...(statements.length > 1 ? { 'db.operation.batch.size': statements.length } : {}),
    })
    try {
      const answer = await run()
      span.end()
      return answer
    } catch (thrown) {
      span.end((thrown as { code?: string }).code ?? 'error')
      throw thrown
    }
  }
  const record = <T>({ span }: Recorded, statements: readonly Statement[], run: () => Promise<T>) => {
    const work = () => (span === undefined ? run() : recordIn(span, statements, run))
    return durations === undefined ? work() : durations.measure(queryTypeOf(statements), work)
  }
  return {
    read: (statement, bytesMax, patience) =>
      record(patience, [statement], () => database.read(statement, bytesMax, patience)),
    openReader: (statement, patience) =>
      record(patience, [statement], () => database.openReader(statement, patience)),
    transact: (statements, options, patience) =>
      record(patience, statements, () => database.transact(statements, options, patience)),
    describe: (tableName, patience) => database.describe(tableName, patience),
    check: (patience) => database.check(patience),
    close: () => database.close(),
  }
}

const statementsMax = 20
const queryCharsMax = 4_000

/** What may hold somebody's data, and what must be read over lest a quote in it is taken for one. In one pass. */
const parts =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$([A-Za-z_]*)\$[\s\S]*?(?:\$\1\$|$)|'(?:[^'\\]|\\[\s\S]|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|\b\d[\w.]*/g

/** A statement's text with `?` for every value that was written into it, and without comments (B-37). */
function withoutLiterals(query: string, system: string): string {
  const replace = (part: string) => {
    if (part.startsWith('--') || part.startsWith('/*')) return ' '
    // In MySQL and SQLite a text may stand in double quotes, too.
    const isName = part.startsWith('`') || (part.startsWith('"') && system === 'postgresql')
    return isName ? part : '?'
  }
  return query.slice(0, queryCharsMax).replace(parts, replace).replace(/\s+/g, ' ').trim()
}

/** The kinds that queries are measured by: whatever else a statement begins with is `other`. */
const queryTypes = ['select', 'insert', 'update', 'delete', 'batch', 'other'] as const
type QueryType = (typeof queryTypes)[number]

function queryTypeOf(statements: readonly Statement[]): QueryType {
  if (statements.length !== 1) return 'batch'
  const verb = verbOf(statements[0]!.query).toLowerCase()
  if (verb === 'with' || verb === 'values' || verb === 'table') return 'select'
  return queryTypes.find((type) => type === verb) ?? 'other'
}

/** One histogram a type, asked for once. */
function createDurations(metrics: Metrics | undefined) {
  if (metrics === undefined) return undefined
  const histograms = new Map(
    queryTypes.map((query_type) => [
      query_type,
      metrics.histogram('database_query_duration_seconds', 'Duration of statements, waiting included.', {
        query_type,
      }),
    ]),
  )
  return {
    measure<T>(type: QueryType, work: () => Promise<T>): Promise<T> {
      const startMs = performance.now()
      const end = () => histograms.get(type)!.observe((performance.now() - startMs) / 1_000)
      const working = work()
      working.then(end, end)
      return working
    },
  }
}

function verbOf(query: string): string {
  return /^\W*([A-Za-z]{2,20})/.exec(query.slice(0, 200))?.[1]?.toUpperCase() ?? 'QUERY'
}
