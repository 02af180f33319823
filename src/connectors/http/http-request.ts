import { z } from 'zod'
import type { Tool } from '../../core/tool.ts'
import type { Apis } from './apis.ts'
import { methods } from './http-config.ts'
import { renderResult, sendRequest } from './send-request.ts'

const input = z.strictObject({
  method: z.enum(methods).describe('HTTP method.'),
  url: z.string().max(8_192).describe('A path below the API’s base URL, or a full URL that begins with it.'),
  api_name: z.string().describe('Which API: one of those this tool’s description names.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('Extra headers. Credentials are added by Weir and cannot be set here.'),
  body: z
    .unknown()
    .optional()
    .describe('Any JSON, sent as JSON; a string with a content-type other than JSON is sent as it is.'),
  timeout: z
    .number()
    .positive()
    .max(600)
    .optional()
    .describe('Seconds to wait for the whole answer, at most the API’s own limit, which is the default.'),
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
    run: async ({ timeout, ...call }, { stop }) => {
      const timeoutMs = timeout === undefined ? undefined : timeout * 1_000
      return renderResult(await sendRequest(apis.get(call.api_name), { ...call, timeoutMs }, stop))
    },
  }
}
