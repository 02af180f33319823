import { WeirError } from '../../core/error.ts'
import type { Database } from './dialect.ts'

/** A connection's databases by name. An unknown name is an error and never another database (B-05, C-25). */
export class Databases {
  readonly #open: ReadonlyMap<string, Database>

  constructor(open: ReadonlyMap<string, Database>) {
    this.#open = open
  }

  get(name: string): Database {
    const database = this.#open.get(name)
    if (database !== undefined) return database
    const known = [...this.#open.keys()]
    throw new WeirError('UNKNOWN_DATABASE', `There is no database ${JSON.stringify(name)} here.`, {
      hint: `Use one of: ${known.join(', ')}.`,
      data: { databases: known },
    })
  }

  entries(): [string, Database][] {
    return [...this.#open]
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((database) => database.close()))
  }
}
