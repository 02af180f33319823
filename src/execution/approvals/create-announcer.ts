import type { Approval } from '../../core/approval.ts'
import type { Logger } from '../../core/logger.ts'

/** A call waits: whoever is told finds the token there that decides it over HTTP. */
export function createAnnouncer(
  log: Logger,
  makeToken: (() => Promise<string>) | undefined,
  tell: ((approval: Approval) => void) | undefined,
): (approval: Approval) => void {
  return (approval) => {
    makeToken?.().catch(({ message }: Error) => log.warn({ event: 'operator-token.unusable' }, message))
    const { id, tool, caller } = approval
    if (tell !== undefined) tell(approval)
    else log.info({ event: 'approval.waiting', approval: id, tool, caller: caller.subject }, 'A call waits.')
  }
}
