import type { Pending } from '../../../core/outcome.ts'
import type { Implementation, Revision } from '../../../wire/model.ts'
import { renderResult } from './render-result.ts'

/**
 * A call that waits for approval. It is an error to a client, because the tool did not do what it was asked, and because
 * whoever checks a result by the tool's output schema would refuse anything else.
 */
export function renderPending(
  { tool, approvalId, expiresAt }: Pending,
  revision: Revision,
  server: Implementation,
): string {
  const text =
    `PENDING_APPROVAL: ${tool} has not run. It waits for approval by whoever operates Weir (${approvalId}). ` +
    `Call it again with exactly the same arguments to collect the decision, until ${expiresAt}.`
  return renderResult(
    {
      content: [{ type: 'text', text }],
      isError: true,
      _meta: { 'weir/approval': { id: approvalId, status: 'pending', expiresAt } },
    },
    revision,
    server,
  )
}
