import type { StopSignal } from '../../../core/cancellation.ts'
import type { EgressResponse } from '../../../egress/egress.ts'

/** What a server said when it refused a request for its credential. */
export type Refusal = Pick<EgressResponse, 'status' | 'headers'>

/** The credential of one owner at one server, as it stands from request to request. */
export interface Credential {
  /** The `authorization` of the next request; a promise where it has to be fetched or renewed before; undefined: none. */
  header(stop: StopSignal): string | undefined | Promise<string | undefined>
  /** Whether a refusal is about the credential, so that another one might do. */
  isRefusal(answer: Refusal): boolean
  /** After a refusal of what `used` showed: resolves once the same request may be sent again; rejects with the cure where not. */
  renew(refusal: Refusal, used: string | undefined, stop: StopSignal): Promise<void>
}
