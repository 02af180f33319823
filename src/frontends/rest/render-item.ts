import { type ErrorBody, renderError, WeirError } from '../../core/error.ts'
import type { Outcome, Pending, Result } from '../../core/outcome.ts'

/** One item of `data.results` (D4-014), in the order asked for, with its own outcome (B-123). */
export interface ItemResult {
  readonly tool_slug: string
  readonly successful: boolean
  readonly response?: unknown
  readonly error?: string
  readonly error_detail?: ErrorBody
  /** C-26: the response is not the tool's own, which could not be had. */
  readonly degraded?: true
  readonly degraded_reason?: string
  /** This is what the same call gave before, under its key. */
  readonly replayed?: true
  readonly status?: 'pending_approval'
  readonly approval_id?: string
  readonly expires_at?: string
}

/** How one tool of a request ended, in this dialect's words. */
export function renderItem(slug: string, outcome: Outcome): ItemResult {
  switch (outcome.kind) {
    case 'complete': {
      const { result } = outcome
      const response = renderResponse(result)
      const replayed = result._meta?.['weir/replayed'] === true ? { replayed: true as const } : {}
      const marks = { ...replayed, ...renderDegradation(outcome) }
      if (result.isError !== true) return { tool_slug: slug, successful: true, response, ...marks }
      return { tool_slug: slug, successful: false, response, error: textOf(result), ...replayed }
    }
    case 'input-required':
      return renderFailed(
        slug,
        new WeirError('INPUT_UNSUPPORTED', 'The tool asks its user a question.', {
          hint: 'Call it over MCP.',
        }),
      )
    case 'task':
      return renderFailed(slug, taskUnsupported())
    case 'pending':
      return renderPending(slug, outcome.pending)
    case 'failed':
      return renderFailed(slug, outcome.error)
  }
}

function renderDegradation({
  degraded,
}: Outcome & { readonly kind: 'complete' }): Pick<ItemResult, 'degraded' | 'degraded_reason'> {
  return degraded === undefined ? {} : { degraded: true, degraded_reason: degraded.reason }
}

/** What HTTP calls 202, for one item: the same request again collects the decision. */
function renderPending(slug: string, { tool, approvalId, expiresAt }: Pending): ItemResult {
  return {
    ...{ tool_slug: slug, successful: false, status: 'pending_approval' },
    ...{ approval_id: approvalId, expires_at: expiresAt },
    error: `${tool} has not run: it waits for approval. Send the same request again to collect the decision.`,
  }
}

/** No tool begins a task for a client that did not say it follows them, which nobody says over REST. */
function taskUnsupported(): WeirError {
  return new WeirError('INPUT_UNSUPPORTED', 'The tool began a task.', { hint: 'Call it over MCP.' })
}

/** A tool that did not run, or failed. */
export function renderFailed(slug: string, error: WeirError): ItemResult {
  return { tool_slug: slug, successful: false, error: error.message, error_detail: renderError(error) }
}

/** The data where there is some, else the content blocks as they came. */
function renderResponse({ structuredContent, content }: Result): unknown {
  return structuredContent === undefined ? { content: content ?? [] } : structuredContent
}

function textOf({ content }: Result): string {
  const text = content?.find((block) => block.type === 'text')?.['text']
  return typeof text === 'string' ? text : 'The tool answered with an error.'
}
