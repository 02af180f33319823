import { WeirError } from '../../../core/error.ts'
import type { Statement } from '../dialect.ts'
import { nameStatement } from '../server/server-error.ts'
import type { PgSession } from './pg-session.ts'
import { leaveTransaction } from './run-read.ts'
import { isServerFault } from './wire.ts'

const knownMax = 1000

/** What the server says a statement was that begins, ends or divides a transaction. */
const controlTag = /^(?:BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE TRANSACTION)/

/** Whether a command tag is one of transaction control. */
export function isControlTag(tag: string | undefined): boolean {
  return tag !== undefined && controlTag.test(tag)
}

/** A statement that would divide or end the transaction it stands in. */
export function controlForbidden(): WeirError {
  return new WeirError(
    'SQL_FORBIDDEN',
    'The statement would begin, divide or end a transaction, or is empty.',
    {
      hint: 'Leave out BEGIN, COMMIT, ROLLBACK and SAVEPOINT: all statements of a call are one transaction.',
    },
  )
}

/**
 * Finds statements that would commit what stands before them, before anything runs, and without reading them: the
 * server is asked. In a transaction that failed it compiles no statement but those that end one. One that takes values
 * ends none, and a text that was seen before keeps its answer.
 */
export class ControlProbe {
  readonly #harmless = new Set<string>()

  /** Throws SQL_FORBIDDEN, naming the statement. Leaves no transaction open. */
  async refuse(session: PgSession, statements: readonly Statement[]): Promise<void> {
    const isUnknown = ({ query, parameters }: Statement) =>
      (parameters ?? []).length === 0 && !this.#harmless.has(query)
    if (!statements.some(isUnknown)) return
    await failOnPurpose(session)
    try {
      for (const [index, statement] of statements.entries()) {
        if (!isUnknown(statement)) continue
        if (await endsTransaction(session, statement.query)) {
          throw nameStatement(controlForbidden(), index, statements.length)
        }
        this.#remember(statement.query)
      }
    } finally {
      await leaveTransaction(session)
    }
  }

  #remember(query: string): void {
    if (this.#harmless.size >= knownMax) this.#harmless.clear()
    this.#harmless.add(query)
  }
}

async function failOnPurpose(session: PgSession): Promise<void> {
  await session.script('BEGIN READ ONLY')
  try {
    await session.script('SELECT 1/0')
  } catch (thrown) {
    if (!isServerFault(thrown)) throw thrown
  }
}

/** It is refused because the transaction failed, or because of a fault that its own run will meet again. */
async function endsTransaction(session: PgSession, query: string): Promise<boolean> {
  try {
    await session.exchange((wire) => wire.parse({ name: '', text: query }))
    return true
  } catch (thrown) {
    if (!isServerFault(thrown)) throw thrown
    return false
  }
}
