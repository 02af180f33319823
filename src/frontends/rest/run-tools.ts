import type { ServerResponse } from 'node:http'
import type { Call, CallNote, Executor } from '../../core/call.ts'
import type { Caller } from '../../core/caller.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { type ErrorBody, type ErrorCode, renderError, WeirError } from '../../core/error.ts'
import type { Standing } from '../../core/limit.ts'
import type { Outcome, Pending, Result } from '../../core/outcome.ts'
import { nextCallId } from '../shared/next-call-id.ts'
import type { FoundTool } from './read-execute.ts'

/** The tools of one request, all of them found. */
export interface ToolsRun {
  readonly requestId: string
  readonly caller: Caller
  readonly found: readonly FoundTool[]
  readonly meta?: Call['meta'] | undefined
  readonly note: CallNote | undefined
  /** Of the whole request; each of its tools has one of its own made of it. */
  readonly idempotencyKey?: string | undefined
  /** Watched for a client that leaves. */
  readonly response: ServerResponse
}

/** The answer to a request whose tools were all found (D4-014). */
export interface RunBody {
  readonly request_id: string
  readonly successful: boolean
  readonly data: { readonly results: readonly ItemResult[] }
  readonly error?: string
}

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

/** What the request is answered with. */
export interface ToolsAnswer {
  readonly body: RunBody
  /** Set where Weir itself refused the first tool, so that none ran: the request as a whole was refused (B-125). */
  readonly refusal?: WeirError
  /** With the tightest of the limits that the tools were under. */
  readonly standing?: Standing
}

/** What is refused before a tool runs. Every other error is the outcome of a tool, and its status stays 200 (D4-014). */
const refusals: ReadonlySet<ErrorCode> = new Set(['RATE_LIMITED'])

/** Runs the tools one after another. The first failure ends the run (D4-015), and what ran before it is kept (B-123). */
export async function runTools(executor: Executor, run: ToolsRun): Promise<ToolsAnswer> {
  const { response } = run
  // Each tool has its own deadline, so each has its own way to be stopped.
  let cancellation = new Cancellation()
  let clientLeft: WeirError | undefined
  const leave = () => {
    if (response.writableFinished) return
    clientLeft = new WeirError('CANCELLED', 'The client left.')
    cancellation.cancel(clientLeft)
  }
  response.once('close', leave)
  // It may have left while its tools were being found; nobody would tell us again.
  if (response.destroyed) leave()
  const results: ItemResult[] = []
  let failure: string | undefined
  let refusal: WeirError | undefined
  let standing: Standing | undefined
  const onStanding = (one: Standing) => {
    if (standing === undefined || one.remaining <= standing.remaining) standing = one
  }
  for (const [index, { entry, input, slug }] of run.found.entries()) {
    if (failure !== undefined) {
      const skipped = new WeirError('NOT_RUN', 'Not run: an earlier tool of the request failed.')
      results.push(renderFailed(slug, skipped))
      continue
    }
    cancellation = new Cancellation()
    if (clientLeft !== undefined) cancellation.cancel(clientLeft)
    const outcome = await executor.execute({
      id: nextCallId(),
      entry,
      input,
      caller: run.caller,
      cancellation,
      via: 'rest',
      ...(run.meta === undefined ? {} : { meta: run.meta }),
      ...(run.note === undefined ? {} : { note: run.note }),
      ...(run.idempotencyKey === undefined ? {} : { idempotencyKey: `${run.idempotencyKey}/${index}` }),
      onStanding,
    })
    if (results.length === 0 && outcome.kind === 'failed' && refusals.has(outcome.error.code)) {
      refusal = outcome.error
    }
    const item = renderItem(slug, outcome)
    results.push(item)
    if (!item.successful) failure = item.error ?? 'The tool failed.'
  }
  const body = {
    request_id: run.requestId,
    successful: failure === undefined,
    data: { results },
    ...(failure === undefined ? {} : { error: failure }),
  }
  return {
    body,
    ...(refusal === undefined ? {} : { refusal }),
    ...(standing === undefined ? {} : { standing }),
  }
}

function renderItem(slug: string, outcome: Outcome): ItemResult {
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

function renderFailed(slug: string, error: WeirError): ItemResult {
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
