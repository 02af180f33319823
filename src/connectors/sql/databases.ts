import { WeirError } from '../../core/error.ts'
import type { Database, IsolationLevel } from './dialect.ts'

/** A database, and what transactions on it run at where a call does not say. */
export interface OpenDatabase {
  readonly database: Database
  readonly isolation: IsolationLevel | undefined
}

/** A connection's databases by name. An unknown name is an error and never another database (B-05, C-25). */
export class Databases {
  readonly #open: ReadonlyMap<string, OpenDatabase>

  constructor(open: ReadonlyMap<string, OpenDatabase>) {
    this.#open = open
  }

  get(name: string): Database {
    const open = this.#open.get(name)
    if (open !== undefined) return open.database
    const known = [...this.#open.keys()]
    throw new WeirError('UNKNOWN_DATABASE', `There is no database ${JSON.stringify(name)} here.`, {
      hint: `Use one of: ${known.join(', ')}.`,
      data: { databases: known },
    })
  }

  /** Undefined: the database's own default. */
  isolationOf(name: string): IsolationLevel | undefined {
    return this.#open.get(name)?.isolation
  }

  all(): readonly Database[] {
    return [...this.#open.values()].map(({ database }) => database)
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((database) => database.close()))
  }
}
