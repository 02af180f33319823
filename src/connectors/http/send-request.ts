import type { StopSignal } from '../../core/cancellation.ts'
import { WeirError } from '../../core/error.ts'
import { type Result, tellFault } from '../../core/outcome.ts'
import type { EgressRequest, EgressResponse } from '../../egress/egress.ts'
import type { Api } from './api.ts'
import type { CredentialHeader } from './auth/credential.ts'
import { boundTime } from './bound-time.ts'
import { addCredential, type CallHeaders } from './merge-headers.ts'
import type { Method } from './methods.ts'
import { type HttpAnswer, renderAnswer } from './render-answer.ts'
import { isInside, resolveUrl } from './resolve-url.ts'
import { readRetryAfter } from './status-error.ts'

/** One request to a named API, as a tool means it: without credential, and held to the API's bounds. */
export interface ApiRequest {
  /** HEAD is a kind of GET, and allowed where that is. */
  readonly method: Method | 'HEAD'
  /** A path that is appended to the API's base URL, or a full URL that begins with it. */
  readonly url: string
  /** Over the API's own; those that carry a credential or decide routing are refused. */
  readonly headers?: CallHeaders | undefined
  /** What it is counted under (D3-103): a tool’s name, or the method where it is absent. */
  readonly endpoint?: string | undefined
  /** Of the call, for the API's own traces (W3C Trace Context). */
  readonly traceparent?: string | undefined
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
  return renderAnswer(await fetchAnswer(api, request, stop), api.redactor)
}

/** An answer as a tool's result: 5xx counts as failed (B-06), so that retry and breaker see it; 4xx is the caller's to read. */
export function renderResult(answer: HttpAnswer): Result {
  const { status_code: status, headers } = answer
  if (status < 500) return { structuredContent: answer }
  const fault = new WeirError('UPSTREAM_FAILED', `The API answered with status ${status}.`, {
    data: { status_code: status, sent: true, ...readRetryAfter(headers) },
  })
  return tellFault({ structuredContent: answer, isError: true }, fault)
}

/** As `sendRequest`, with the answer as it came: whoever shows any of it to a caller takes the secrets out. */
export async function fetchAnswer(api: Api, request: ApiRequest, stop: StopSignal): Promise<EgressResponse> {
  const { config, credential } = api
  if (!config.methods.includes(request.method === 'HEAD' ? 'GET' : request.method))
    throw refuseMethod(api, request.method)
  const url = resolveUrl(api.name, api.base, request.url)
  const body = renderBody(request)
  const headers = api.mergeHeaders(request.headers ?? {}, body === undefined ? undefined : 'application/json')
  const timeoutMs = Math.ceil(Math.min(request.timeoutMs ?? config.timeoutMs, config.timeoutMs))
  const bounds = {
    method: request.method,
    ...(body === undefined ? {} : { body }),
    signal: stop,
    ...boundTime(timeoutMs),
    responseBytesMax: Math.min(request.responseBytesMax ?? config.responseBytesMax, config.responseBytesMax),
    redirect: 'same-origin',
    allowRedirect: (to: URL) => isInside(api.base, to),
  } satisfies EgressRequest
  const { traceparent, endpoint = request.method } = request
  const traced = traceparent === undefined ? headers : { traceparent, ...headers }
  const send = (header: CredentialHeader | undefined) =>
    exchange(api, url, { ...bounds, headers: addCredential(traced, header) })

  api.count(endpoint)
  const header = await credential.header(stop)
  const answer = await send(header)
  if (answer.status !== 401 || header === undefined) return answer
  const renewal = credential.renew(header, stop)
  if (maySendAgain(request.method, url, answer))
    return (await renewal) ? send(await credential.header(stop)) : answer
  // The next call has the new token, or is told why there is none.
  renewal.catch(() => {})
  return answer
}

/**
 * Whether a request that was answered 401 has provably done nothing, so that it may be sent once more with a new token
 * (R3). Twice is once for GET, PUT and DELETE. POST and PATCH are sent again only where the server itself says that it
 * refused the token, in the challenge that RFC 6750 demands: some programs pass on a 401 that they got half-way. After a
 * redirect, the first hop was processed, whatever the last one says.
 */
function maySendAgain(method: string, url: URL, { headers, url: answeredBy }: EgressResponse): boolean {
  if (method !== 'POST' && method !== 'PATCH') return true
  return answeredBy === url.href && /^\s*bearer\b/i.test([headers['www-authenticate']].flat().join())
}

function refuseMethod({ name, config }: Api, method: string): WeirError {
  return new WeirError('INVALID_INPUT', `The API ${name} takes no ${method}.`, {
    hint: `Use ${config.methods.join(' or ')}.`,
    data: { api_name: name, method, methods: config.methods, sent: false },
  })
}

function renderBody({ body, headers = {} }: ApiRequest): string | undefined {
  if (body === undefined) return undefined
  const contentType = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  if (typeof body === 'string' && contentType !== undefined && !/[/+]json\b/i.test(contentType)) return body
  return JSON.stringify(body)
}

async function exchange(api: Api, url: URL, request: EgressRequest): Promise<EgressResponse> {
  try {
    return await api.client.request(url, request)
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || thrown.code !== 'RESPONSE_TOO_LARGE') throw thrown
    throw new WeirError('RESPONSE_TOO_LARGE', thrown.message, {
      hint: `Ask for less (a page, a filter), or raise \`apis.${api.name}.responseBytesMax\`.`,
      data: { ...thrown.data, api_name: api.name },
      cause: thrown,
    })
  }
}
