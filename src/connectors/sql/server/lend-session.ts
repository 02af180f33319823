import type { Patience } from '../dialect.ts'
import { overloaded } from './server-error.ts'
import type { Session, SessionPool } from './session-pool.ts'

/** How one server's sessions are lent. */
export interface Lending<S extends Session> {
  readonly pool: SessionPool<S>
  readonly patience: Patience
  /** Puts a session back, once it is as good as new. */
  giveBack(session: S): void
  /** Whether what was thrown says that the session was dead before anything came back over it. */
  wasDead(thrown: unknown): boolean
  /** What callers may see of what was thrown. */
  explain(thrown: unknown, startedMs: number): unknown
}

/**
 * Lends a session. One that turns out to be dead before anything came back over it is replaced once, and those that
 * are idle beside it are not trusted either: a server that restarted has ended them all.
 */
export async function lendSession<S extends Session, T>(
  { pool, patience, giveBack, wasDead, explain }: Lending<S>,
  work: (session: S) => Promise<T>,
): Promise<T> {
  const startedMs = performance.now()
  for (let attempt = 1; ; attempt++) {
    const session = await pool.acquire(patience)
    try {
      return await work(session)
    } catch (thrown) {
      if (attempt === 1 && wasDead(thrown)) pool.distrustIdle()
      else throw explain(thrown, startedMs)
    } finally {
      giveBack(session)
    }
  }
}

/** What is taken by readers that stay open between calls, so that they never take the whole pool. */
export class HeldSessions<S extends Session> {
  readonly #alias: string
  readonly #max: number
  #held = 0

  constructor(alias: string, max: number) {
    this.#alias = alias
    this.#max = max
  }

  /** A session, and what gives it back, to be called once. OVERLOADED where too many are held. */
  async hold({ pool, patience, giveBack }: Pick<Lending<S>, 'pool' | 'patience' | 'giveBack'>) {
    if (this.#held >= this.#max) throw overloaded(this.#alias, this.#max, 'raise `pool.max`')
    this.#held++
    try {
      const session = await pool.acquire(patience)
      const release = () => {
        this.#held--
        giveBack(session)
      }
      return { session, release }
    } catch (thrown) {
      this.#held--
      throw thrown
    }
  }
}
