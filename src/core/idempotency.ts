import type { Party } from './approval.ts'

/** What a key names: one call of one caller (R2). */
export interface IdempotencyKey extends Party {
  readonly key: string
}

/** What the key was used for. */
export interface IdempotentCall {
  readonly tool: string
  /** SHA-256 of the arguments in canonical form. */
  readonly digest: string
}

/** A key that is taken. */
export interface Reservation extends IdempotentCall {
  /** `running`: nobody has said how the call ended. */
  readonly state: 'running' | 'done'
  /** From when on a call that is still running has been lost; wall-clock milliseconds. */
  readonly lostAt: number
  /** How the call ended, as JSON; absent where it was too large to be kept. */
  readonly outcome?: string
}

/** Keys of calls, kept for a day. */
export interface IdempotencyStore {
  /**
   * Takes a key for the holder of `token`; durable when it resolves. Gives what has it already, or undefined where it is
   * now taken. Rejects with OVERLOADED where as many as may be are kept.
   */
  reserve(
    key: IdempotencyKey,
    call: IdempotentCall,
    holder: { readonly token: string; readonly lostAt: number },
  ): Promise<Reservation | undefined>
  /** Keeps how the call of `token` ended; `undefined`: that it ended. */
  finish(key: IdempotencyKey, token: string, outcome: string | undefined): Promise<void>
  /** Frees a key whose call had no effect. */
  release(key: IdempotencyKey, token: string): Promise<void>
}
