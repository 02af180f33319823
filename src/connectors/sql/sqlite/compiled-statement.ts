import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { WeirError } from '../../../core/error.ts'
import type { Statement } from '../dialect.ts'
import type { Guard } from './guard.ts'
import { type Placeholders, parsePlaceholders } from './placeholders.ts'
import { parseParameter } from './values.ts'

/** A statement that the engine has compiled and allowed, with what is worth knowing at every run. */
export interface CompiledStatement {
  readonly statement: StatementSync
  readonly placeholders: Placeholders
  /** The columns' names, each as JSON with its colon; renewed when the schema changed. */
  keys: readonly string[]
  /** The columns' names as a JSON list. */
  columnsText: string
  readonly changesRows: boolean
  /** Whether a run leaves a row id of its own behind. */
  readonly insertsRowId: boolean
  /** Whether a run met an integer that a JavaScript number cannot hold; from then on they come as BigInt. */
  bigIntegers: boolean
}

/**
 * Compiles one statement. The engine itself says where it ended, so a second one cannot hide behind a
 * quote or a comment that a parser of ours would read differently: SQL_NOT_SINGLE (S11).
 */
export function compileStatement(database: DatabaseSync, guard: Guard, query: string): CompiledStatement {
  if (query.includes('\0')) {
    throw new WeirError(
      'INVALID_INPUT',
      'The query holds a NUL character, where SQLite would stop reading.',
      {
        hint: 'Remove the NUL character.',
      },
    )
  }
  const placeholders = parsePlaceholders(query)
  guard.reset()
  const statement = prepareOne(database, query)
  const changesRows = guard.changesRows && !guard.defines
  const insertsInto = changesRows ? guard.insertsInto : undefined
  refuseRest(database, query.slice(statement.sourceSQL.length))
  const compiled: CompiledStatement = {
    statement,
    placeholders,
    keys: [],
    columnsText: '[]',
    changesRows,
    insertsRowId: insertsInto !== undefined && hasRowId(database, guard, insertsInto),
    bigIntegers: false,
  }
  statement.setReturnArrays(true)
  readColumns(compiled)
  return compiled
}

/** Takes the column names from the engine again, numbering those that repeat: `id`, `id_2`. */
export function readColumns(compiled: CompiledStatement): void {
  const taken = new Set<string>()
  const columns = compiled.statement.columns().map(({ name }) => {
    let unique = name
    for (let number = 2; taken.has(unique); number++) unique = `${name}_${number}`
    taken.add(unique)
    return unique
  })
  compiled.keys = columns.map((name) => `${JSON.stringify(name)}:`)
  compiled.columnsText = JSON.stringify(columns)
}

/** The arguments that run a statement with these values: INVALID_INPUT where their number is wrong. */
export function bindParameters(
  { placeholders }: CompiledStatement,
  { parameters = [] }: Statement,
): [Record<string, SQLInputValue>] | SQLInputValue[] {
  if (parameters.length !== placeholders.count) {
    const given = parameters.length === 1 ? '1 was given' : `${parameters.length} were given`
    throw new WeirError('INVALID_INPUT', `The query needs ${placeholders.count} parameters, and ${given}.`, {
      hint: 'Give one value for each placeholder, in the order of their numbers.',
    })
  }
  if (placeholders.numbered.length === 0) {
    return parameters.map((value, index) => parseParameter(value, index + 1))
  }
  const named: Record<string, SQLInputValue> = {}
  for (const { name, index } of placeholders.numbered)
    named[name] = parseParameter(parameters[index]!, index + 1)
  return [named]
}

function prepareOne(database: DatabaseSync, query: string): StatementSync {
  try {
    return database.prepare(query)
  } catch (thrown) {
    if (!isEmptyQuery(thrown)) throw thrown
    throw new WeirError('SQL_NOT_SINGLE', 'The query holds no statement.', {
      hint: 'Send one SQL statement.',
    })
  }
}

/** The rest may hold white space, comments and semicolons; the engine is asked whether it holds more. */
function refuseRest(database: DatabaseSync, rest: string): void {
  if (rest === '') return
  try {
    database.prepare(rest)
  } catch (thrown) {
    if (isEmptyQuery(thrown)) return
  }
  throw new WeirError('SQL_NOT_SINGLE', 'The query holds more than one statement.', {
    hint: 'Send one statement per query; execute_transaction takes several as a list.',
  })
}

function isEmptyQuery(thrown: unknown): boolean {
  return (thrown as { code?: unknown }).code === 'ERR_INVALID_ARG_VALUE'
}

/** Views and tables WITHOUT ROWID take a row without a row id; SQLite would report an earlier one. */
function hasRowId(database: DatabaseSync, guard: Guard, table: string): boolean {
  guard.trusted = true
  try {
    const found = database
      .prepare(
        "select 1 from pragma_table_list where schema = 'main' and name = ? and type <> 'view' and wr = 0",
      )
      .get(table)
    return found !== undefined
  } finally {
    guard.trusted = false
  }
}
