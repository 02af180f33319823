import { z } from 'zod'
import type { StopSignal } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { renderError, toWeirError, WeirError } from '../../core/error.ts'
import { runBounded } from '../../core/run-bounded.ts'
import type { Tool } from '../../core/tool.ts'
import type { Api } from './api.ts'
import type { Apis } from './apis.ts'
import { renderBodyByType } from './render-answer.ts'
import {
  answerMarginMs,
  answersBytesMax,
  apiNameField,
  bodyField,
  headersField,
  methodField,
  requestMsMin,
  timeoutField,
  toMs,
  urlField,
} from './request-fields.ts'
import { fetchAnswer } from './send-request.ts'

const item = z.strictObject({
  id: z
    .string()
    .max(200)
    .default('unknown')
    .describe('A name of yours, given back as `request_id`; need not be unique.'),
  method: methodField,
  url: urlField,
  headers: headersField,
  body: bodyField,
  timeout: timeoutField,
})

const input = z.strictObject({
  requests: z
    .array(item)
    .min(1)
    .max(100)
    .describe('The requests. They run at the same time, as far as the API’s `batchConcurrency` goes.'),
  api_name: apiNameField,
})

const successText = 'Whether the status is 2xx; false where there is no answer.'
const requestId = z.string().describe('The request’s `id`.')
const output = z.strictObject({
  results: z
    .array(
      z.union([
        z.strictObject({
          status_code: z.int().describe('HTTP status.'),
          data: z
            .unknown()
            .describe(
              'Parsed JSON where the media type is JSON; else the text; {raw_base64, media_type} for other bytes.',
            ),
          success: z.boolean().describe(successText),
          request_id: requestId,
        }),
        z.strictObject({
          error: z
            .string()
            .describe('Why there is no answer: an error code, a colon, what happened and what to do.'),
          success: z.literal(false).describe(successText),
          request_id: requestId,
        }),
      ]),
    )
    .describe('One outcome for each request, in their order.'),
})

type Input = z.input<typeof input>
type Item = Input['requests'][number]
type Outcome = z.infer<typeof output>['results'][number]

/** Until when a batch may send, and how much each of its answers may hold. */
interface Budget {
  readonly deadlineMs: number
  readonly responseBytesMax: number
}

/**
 * The tool `api_batch_request` (D0-039, D0-040, B-15). One failing request leaves the others their outcomes, and so does
 * the time of the whole call: what cannot be sent in it any more is said to be not sent.
 */
export function createApiBatchRequest(apis: Apis, clock: Clock): Tool<Input> {
  return {
    kind: 'tool',
    name: 'api_batch_request',
    title: 'Several HTTP requests',
    description: `Sends up to 100 HTTP requests to one configured API, several at a time, and returns all outcomes in order. They share one limit on the size of the answers. APIs:\n${apis.describe()}`,
    effect: apis.effect,
    input,
    output,
    timeoutMs: apis.severalTimeoutMs,
    async run({ requests, api_name: name }, { stop, deadlineMs }) {
      const api = apis.get(name)
      const budget = {
        deadlineMs: deadlineMs - answerMarginMs,
        responseBytesMax: Math.floor(answersBytesMax / requests.length),
      }
      const results = await runBounded(requests, api.config.batchConcurrency, (request) =>
        attempt(api, request, budget, { stop, clock }),
      )
      // Once the caller has left there is nobody to show a partial answer to.
      if (stop.aborted) throw stop.reason
      return { structuredContent: { results } }
    },
  }
}

async function attempt(
  api: Api,
  { id = 'unknown', method, url, headers, body, timeout }: Item,
  { deadlineMs, responseBytesMax }: Budget,
  { stop, clock }: { readonly stop: StopSignal; readonly clock: Clock },
): Promise<Outcome> {
  try {
    const leftMs = deadlineMs - clock.monotonicMs()
    if (leftMs < requestMsMin || stop.aborted) throw tooLate()
    const timeoutMs = Math.min(leftMs, toMs(timeout) ?? Number.POSITIVE_INFINITY)
    const request = { method, url, headers, body, timeoutMs, responseBytesMax }
    const answer = await fetchAnswer(api, request, stop)
    const { status } = answer
    return {
      status_code: status,
      data: renderBodyByType(answer, api.redactor),
      success: status >= 200 && status < 300,
      request_id: id,
    }
  } catch (thrown) {
    const { code, message, hint } = renderError(toWeirError(thrown))
    const error = hint === undefined ? `${code}: ${message}` : `${code}: ${message} ${hint}`
    return { error, success: false, request_id: id }
  }
}

function tooLate(): WeirError {
  return new WeirError('DEADLINE_EXCEEDED', 'The time of the batch was over before this request was sent.', {
    hint: 'Send it again, in a smaller batch.',
    data: { sent: false },
  })
}
