import type { Approval } from '../core/approval.ts'
import { showHidden } from '../core/hidden-text.ts'
import type { Output } from './output.ts'

/** One line has to be read at a glance; `weir approvals show` has the rest. */
const shownMax = 120

/** Tells whoever sits at the terminal that a call waits, and what approves it. Who reads a file has the log. */
export function createApprovalTeller(output: Output): ((approval: Approval) => void) | undefined {
  if (output.isJson || process.stderr.isTTY !== true) return undefined
  return ({ id, tool, caller, shown }) => {
    const text = showHidden(shown).replace(/\s+/g, ' ')
    const cut = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
    output.note(`${caller.subject} waits for approval of ${tool} ${cut}: weir approvals approve ${id}`)
  }
}
