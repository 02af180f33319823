import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { procedures } from '../../procedures.ts'
import { fileMoved, isBusy, isFull, toFailure, tooMuch } from './failure.ts'
import { prepareDatabase } from './prepare-database.ts'
import type { Answer, ProcedureCall, Statement, StatementResult, ThreadOptions, Unit } from './protocol.ts'

/** Shorter than the time the queue keeps between its last sending and a caller's end of patience. */
const busyTimeoutMs = 200
/** Texts of statements come from our own files and are few; more would be a fault that must not cost memory. */
const preparedMax = 256

/** The most that the reads of one group may give, in characters: what they give is held until all of them are done. */
const answerBytesMax = 64 * 1024 * 1024

interface Budget {
  bytes: number
  /** Whether the next read is the first of its group. */
  isUntouched: boolean
}

/** One open database and the way groups are committed in it. Blocks its thread on purpose; nothing else runs there. */
export class Session {
  /** How many transactions were made durable. */
  commits = 0
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  readonly #path: string
  readonly #inode: bigint | undefined

  private constructor(database: DatabaseSync, path: string) {
    this.#database = database
    this.#path = path
    this.#inode = inodeOf(path)
  }

  static async open({ path, fileBytesMax }: ThreadOptions): Promise<Session> {
    const database = new DatabaseSync(path, {
      timeout: busyTimeoutMs,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      defensive: true,
    })
    try {
      await prepareDatabase(database, fileBytesMax)
      return new Session(database, path)
    } catch (thrown) {
      database.close()
      throw thrown
    }
  }

  /** Writes first, in one transaction; then reads, which so see what came with them. Never throws. */
  run(units: readonly Unit[]): readonly Answer[] {
    const writes = units.filter(({ isRead }) => !isRead)
    const written = this.#commit(writes)
    const budget = { bytes: answerBytesMax, isUntouched: true }
    let next = 0
    return units.map((unit) => (unit.isRead ? this.#read(unit, budget) : written[next++]!))
  }

  /** How many statements are kept compiled. */
  get preparedCount(): number {
    return this.#prepared.size
  }

  close(): void {
    this.#database.close()
  }

  #commit(units: readonly Unit[]): readonly Answer[] {
    if (units.length < 2) return units.map((unit) => this.#commitAlone(unit))
    try {
      this.#begin()
    } catch (thrown) {
      return units.map(() => notBegun(thrown))
    }
    const answers: Answer[] = []
    for (const unit of units) {
      answers.push(this.#runInSavepoint(unit))
      // Some errors end the whole transaction, and with it what others already had in it.
      if (!this.#database.isTransaction) return units.map((each) => this.#commitAlone(each))
    }
    try {
      this.#execute('commit')
      this.commits += 1
      return answers
    } catch (thrown) {
      this.#rollBack()
      // One unit that is too large for the room there is must not take the others with it.
      if (isFull(thrown)) return units.map((each) => this.#commitAlone(each))
      return answers.map((answer) => ('results' in answer ? lostAtCommit(thrown) : answer))
    }
  }

  #runInSavepoint(unit: Unit): Answer {
    this.#execute('savepoint unit')
    try {
      const results = unit.statements.map((statement) => this.#runOne(statement))
      this.#execute('release unit')
      return { results }
    } catch (thrown) {
      if (this.#database.isTransaction) {
        this.#execute('rollback to unit')
        this.#execute('release unit')
      }
      return { failure: toFailure(thrown), isUnknown: false }
    }
  }

  #commitAlone(unit: Unit): Answer {
    try {
      this.#begin()
    } catch (thrown) {
      return notBegun(thrown)
    }
    let isCommitting = false
    try {
      const results = unit.statements.map((statement) => this.#runOne(statement))
      isCommitting = true
      this.#execute('commit')
      this.commits += 1
      return { results }
    } catch (thrown) {
      this.#rollBack()
      return { failure: toFailure(thrown), isUnknown: isCommitting && !isFull(thrown) }
    }
  }

  /** A read that does not fit beside others is put off; one that does not fit alone fails. */
  #read({ statements }: Unit, budget: Budget): Answer {
    const isAlone = budget.isUntouched
    budget.isUntouched = false
    try {
      return { results: statements.map((statement) => this.#select(statement, budget)) }
    } catch (thrown) {
      if (budget.bytes < 0 && !isAlone) return { isPutOff: true }
      return isBusy(thrown) ? { isBusy: true } : { failure: toFailure(thrown), isUnknown: false }
    }
  }

  #select(given: Unit['statements'][number], budget: Budget): StatementResult {
    if ('procedure' in given) throw new Error('a procedure is no read')
    const { sql, parameters } = given
    const rows: unknown[] = []
    for (const row of this.#prepare(sql).iterate(...parameters)) {
      for (const value of Object.values(row)) budget.bytes -= typeof value === 'string' ? value.length : 8
      if (budget.bytes < 0) throw tooMuch(answerBytesMax)
      rows.push(row)
    }
    return { rows, changes: 0 }
  }

  #runOne(given: Statement | ProcedureCall): StatementResult {
    if ('procedure' in given) {
      const run = (sql: string, parameters: Statement['parameters']) => this.#runOne({ sql, parameters })
      return { rows: procedures[given.procedure](run, given.parameters), changes: 0 }
    }
    const { sql, parameters } = given
    const statement = this.#prepare(sql)
    if (statement.columns().length > 0) return { rows: statement.all(...parameters), changes: 0 }
    return { rows: [], changes: Number(statement.run(...parameters).changes) }
  }

  /** A file that was removed would go on taking writes, and lose them all when it is closed. */
  #begin(): void {
    if (inodeOf(this.#path) !== this.#inode) throw fileMoved()
    this.#execute('begin immediate')
  }

  #execute(sql: string): void {
    this.#prepare(sql).run()
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    if (this.#prepared.size >= preparedMax) this.#prepared.clear()
    const made = this.#database.prepare(sql)
    this.#prepared.set(sql, made)
    return made
  }

  #rollBack(): void {
    if (this.#database.isTransaction) this.#execute('rollback')
  }
}

/** Undefined where there is no file. */
function inodeOf(path: string): bigint | undefined {
  if (path === ':memory:') return undefined
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}

function notBegun(thrown: unknown): Answer {
  return isBusy(thrown) ? { isBusy: true } : { failure: toFailure(thrown), isUnknown: false }
}

/** The engine says that it failed, and yet the last bytes may have reached the disk. */
function lostAtCommit(thrown: unknown): Answer {
  return { failure: toFailure(thrown), isUnknown: true }
}
