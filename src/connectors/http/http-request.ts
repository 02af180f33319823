import { z } from 'zod'
import type { Tool } from '../../core/tool.ts'
import { readTraceparent } from '../../core/trace.ts'
import type { Apis } from './apis.ts'
import {
  apiNameField,
  bodyField,
  headersField,
  methodField,
  timeoutField,
  toMs,
  urlField,
} from './request-fields.ts'
import { renderResult, sendRequest } from './send-request.ts'

const input = z.strictObject({
  method: methodField,
  url: urlField,
  api_name: apiNameField,
  headers: headersField,
  body: bodyField,
  timeout: timeoutField,
})

const output = z.object({
  status_code: z.int().describe('HTTP status.'),
  headers: z.record(z.string(), z.string()).describe('Response headers, without cookies and credentials.'),
  data: z
    .unknown()
    .describe('Parsed JSON; {} if empty; {raw_response} for text; {raw_base64, media_type} for other bytes.'),
  success: z.boolean().describe('Whether the status is 2xx.'),
})

type Input = z.input<typeof input>

/**
 * The tool `http_request` (D0-035 to D0-037). Any status is an answer; 5xx also counts as failed (`isError`),
 * so that retry and breaker see it (B-06), while 4xx is the caller's to read. Its effect is the worst that any
 * API of the connection lets it have.
 */
export function createHttpRequest(apis: Apis): Tool<Input> {
  const { timeoutMs } = apis
  return {
    kind: 'tool',
    name: 'http_request',
    title: 'HTTP request',
    description: `Sends one HTTP request to a configured API and returns its answer. APIs:\n${apis.describe()}`,
    effect: apis.effect,
    input,
    output,
    ...(timeoutMs > 30_000 ? { timeoutMs } : {}),
    run: async ({ timeout, ...call }, { stop, meta }) => {
      const traceparent = readTraceparent(meta?.['traceparent'])
      const request = { ...call, timeoutMs: toMs(timeout), traceparent }
      return renderResult(await sendRequest(apis.get(call.api_name), request, stop))
    },
  }
}
