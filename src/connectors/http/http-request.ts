import { z } from 'zod'
import type { StopSignal } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import type { Result } from '../../core/outcome.ts'
import type { Effect, Tool } from '../../core/tool.ts'
import type { EgressResponse } from '../../egress/egress.ts'
import type { Api } from './api.ts'
import { methods } from './http-config.ts'
import { mergeHeaders } from './merge-headers.ts'
import { renderAnswer } from './render-answer.ts'
import { isInside, resolveUrl } from './resolve-url.ts'

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
export function createHttpRequest(apis: ReadonlyMap<string, Api>): Tool<Input> {
  const all = [...apis.values()]
  const timeoutMs = Math.max(...all.map(({ config }) => config.timeoutMs))
  const allowed = new Set(all.flatMap(({ config }) => config.methods))
  return {
    kind: 'tool',
    name: 'http_request',
    title: 'HTTP request',
    description: `Sends one HTTP request to a configured API and returns its answer. APIs:\n${all.map(describeApi).join('\n')}`,
    effect: worstEffect(allowed),
    input,
    output,
    ...(timeoutMs > 30_000 ? { timeoutMs } : {}),
    run: async (call, context) => send(findApi(apis, call.api_name), call, context.stop),
  }
}

function worstEffect(allowed: ReadonlySet<string>): Effect {
  if (allowed.has('DELETE')) return 'destructive'
  return [...allowed].every((method) => method === 'GET') ? 'read' : 'write'
}

function describeApi({ name, base, config }: Api): string {
  const text = config.description === undefined ? '' : `: ${config.description}`
  return `- ${name} (${base.href}; ${config.methods.join(', ')})${text}`
}

function findApi(apis: ReadonlyMap<string, Api>, name: string): Api {
  const api = apis.get(name)
  if (api !== undefined) return api
  const known = [...apis.keys()]
  throw new WeirError('UNKNOWN_API', `There is no API ${JSON.stringify(name.slice(0, 100))}.`, {
    hint: `Use one of: ${known.join(', ')}.`,
    data: { api_name: name.slice(0, 100), known },
  })
}

async function send(api: Api, call: Input, signal: StopSignal): Promise<Result> {
  const { config } = api
  if (!config.methods.includes(call.method)) {
    throw new WeirError('INVALID_INPUT', `The API ${api.name} takes no ${call.method}.`, {
      hint: `Use ${config.methods.join(' or ')}.`,
      data: { api_name: api.name, method: call.method, methods: config.methods },
    })
  }
  const url = resolveUrl(api.name, api.base, call.url)
  const body = renderBody(call)
  const headers = mergeHeaders(
    api.name,
    config,
    call.headers ?? {},
    body === undefined ? undefined : 'application/json',
  )
  const timeoutMs = Math.ceil(Math.min((call.timeout ?? Number.POSITIVE_INFINITY) * 1_000, config.timeoutMs))
  const answer = renderAnswer(
    await request(api, url, {
      method: call.method,
      headers,
      ...(body === undefined ? {} : { body }),
      signal,
      headersTimeoutMs: timeoutMs,
      bodyTimeoutMs: timeoutMs,
      totalTimeoutMs: timeoutMs,
      responseBytesMax: config.responseBytesMax,
      redirect: 'same-origin',
      allowRedirect: (to) => isInside(api.base, to),
    }),
    api.redactor,
  )
  return answer.status_code >= 500
    ? { structuredContent: answer, isError: true }
    : { structuredContent: answer }
}

function renderBody({ body, headers = {} }: Input): string | undefined {
  if (body === undefined) return undefined
  const contentType = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  if (typeof body === 'string' && contentType !== undefined && !/[/+]json\b/i.test(contentType)) return body
  return JSON.stringify(body)
}

async function request(
  api: Api,
  url: URL,
  init: Parameters<Api['client']['request']>[1],
): Promise<EgressResponse> {
  try {
    return await api.client.request(url, init)
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || thrown.code !== 'RESPONSE_TOO_LARGE') throw thrown
    throw new WeirError('RESPONSE_TOO_LARGE', thrown.message, {
      hint: `Ask for less (a page, a filter), or raise \`apis.${api.name}.responseBytesMax\`.`,
      data: { ...thrown.data, api_name: api.name },
      cause: thrown,
    })
  }
}
