import type { StopSignal } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import type { Result } from '../../core/outcome.ts'
import type { EgressResponse } from '../../egress/egress.ts'
import type { Api } from './api.ts'
import type { Method } from './http-config.ts'
import { mergeHeaders } from './merge-headers.ts'
import { type HttpAnswer, renderAnswer } from './render-answer.ts'
import { isInside, resolveUrl } from './resolve-url.ts'

/** One request to a named API, as a tool means it: without credential, and held to the API's bounds. */
export interface ApiRequest {
  readonly method: Method
  /** A path that is appended to the API's base URL, or a full URL that begins with it. */
  readonly url: string
  /** Over the API's own; those that carry a credential or decide routing are refused. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Any JSON; a string with a content type other than JSON is sent as it is. */
  readonly body?: unknown
  /** For the whole answer, redirects included; the API's own limit is the default and the most. */
  readonly timeoutMs?: number | undefined
  /** Largest answer taken; the API's own limit is the default and the most. */
  readonly responseBytesMax?: number | undefined
}

/**
 * Sends one request to an API, with its credential, and gives the answer without secrets, whatever its status.
 * Throws INVALID_INPUT (method), URL_NOT_ALLOWED and HEADER_NOT_ALLOWED before anything is sent, and what egress throws.
 */
export async function sendRequest(api: Api, request: ApiRequest, stop: StopSignal): Promise<HttpAnswer> {
  const { config } = api
  if (!config.methods.includes(request.method)) throw refuseMethod(api, request.method)
  const url = resolveUrl(api.name, api.base, request.url)
  const body = renderBody(request)
  const contentType = body === undefined ? undefined : 'application/json'
  const headers = mergeHeaders(api.name, config, request.headers ?? {}, contentType)
  const timeoutMs = Math.ceil(Math.min(request.timeoutMs ?? config.timeoutMs, config.timeoutMs))
  const response = await exchange(api, url, {
    method: request.method,
    headers,
    ...(body === undefined ? {} : { body }),
    signal: stop,
    headersTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    totalTimeoutMs: timeoutMs,
    responseBytesMax: Math.min(request.responseBytesMax ?? config.responseBytesMax, config.responseBytesMax),
    redirect: 'same-origin',
    allowRedirect: (to) => isInside(api.base, to),
  })
  return renderAnswer(response, api.redactor)
}

/** An answer as a tool's result: 5xx counts as failed (B-06), so that retry and breaker see it; 4xx is the caller's to read. */
export function renderResult(answer: HttpAnswer): Result {
  return answer.status_code >= 500
    ? { structuredContent: answer, isError: true }
    : { structuredContent: answer }
}

function refuseMethod({ name, config }: Api, method: Method): WeirError {
  return new WeirError('INVALID_INPUT', `The API ${name} takes no ${method}.`, {
    hint: `Use ${config.methods.join(' or ')}.`,
    data: { api_name: name, method, methods: config.methods },
  })
}

function renderBody({ body, headers = {} }: ApiRequest): string | undefined {
  if (body === undefined) return undefined
  const contentType = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  if (typeof body === 'string' && contentType !== undefined && !/[/+]json\b/i.test(contentType)) return body
  return JSON.stringify(body)
}

async function exchange(
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
