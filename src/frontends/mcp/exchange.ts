import type { Caller } from '../../core/caller.ts'
import type { Cancellation, StopSignal } from '../../core/cancellation.ts'
import type { Entry, View } from '../../core/catalog.ts'
import type { JsonRpcRequest, JsonText } from '../../wire/json-rpc.ts'
import type { RequestMeta, Revision } from '../../wire/model.ts'
import type { Question } from '../../wire/questions.ts'
import type { Reply } from './questions/client-questions.ts'
import type { Session } from './sessions.ts'

/** One request on its way through, whatever the transport. */
export interface Exchange {
  readonly request: JsonRpcRequest
  readonly revision: Revision
  readonly meta: RequestMeta
  readonly caller: Caller
  readonly view: View
  readonly cancellation: Cancellation
  readonly session?: Session | undefined
  /** Sends a notification before the answer; absent where the transport cannot. */
  readonly notify?: ((notificationText: string) => void) | undefined
  /** Asks the client while its request waits; absent where the era or the transport has no way to. Rejects where no answer comes. */
  readonly ask?: ((question: Question, stop: StopSignal) => Promise<Reply>) | undefined
  /** Checks what only a transport can: that headers repeat the arguments (S8). Throws HEADER_MISMATCH. */
  readonly checkInput?: ((entry: Entry, input: unknown) => void) | undefined
}

/** Answers one request with the JSON text of its result. Throws a WeirError for misuse of the protocol. */
export type Answer = (exchange: Exchange) => Promise<JsonText> | JsonText
