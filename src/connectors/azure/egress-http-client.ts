import { Readable } from 'node:stream'
import type { StoragePipelineOptions } from '@azure/storage-blob'
import type { StopSignal } from '../../core/cancellation.ts'
import type { EgressClient, EgressResponse } from '../../egress/egress.ts'

/** The SDK's own name of what it sends by, and of what goes in and out there. */
type HttpClient = NonNullable<StoragePipelineOptions['httpClient']>
type HttpRequest = Parameters<HttpClient['sendRequest']>[0]
type HttpResponse = Awaited<ReturnType<HttpClient['sendRequest']>>

/** What bounds one request. */
export interface RequestLimits {
  /** From the request to the end of the answer, in milliseconds. */
  readonly timeoutMs: number
  readonly responseBytesMax: number
}

/** Set by the one who sends. */
const hopHeaders: ReadonlySet<string> = new Set(['host', 'content-length', 'connection'])

/**
 * The SDK's way out, through Weir's (S10): every address is checked, every wait and size bounded, and no redirect is
 * followed, so a signed request and what it carries reach the configured endpoint or nothing.
 */
export function createEgressHttpClient(
  client: EgressClient,
  { timeoutMs, responseBytesMax }: RequestLimits,
): HttpClient {
  return {
    async sendRequest(request) {
      const body = readBody(request.body)
      const answer = await client.request(request.url, {
        method: request.method,
        headers: request.headers
          .headersArray()
          .flatMap(({ name, value }) => (hopHeaders.has(name.toLowerCase()) ? [] : [name, value])),
        ...(body === undefined ? {} : { body }),
        signal: request.abortSignal as StopSignal | undefined,
        redirect: 'manual',
        headersTimeoutMs: timeoutMs,
        bodyTimeoutMs: timeoutMs,
        totalTimeoutMs: timeoutMs,
        responseBytesMax,
      })
      return renderResponse(request, answer)
    },
  }
}

function renderResponse(request: HttpRequest, answer: EgressResponse): HttpResponse {
  const { status, body } = answer
  const head = { request, status, headers: renderHeaders(request, answer) }
  return request.streamResponseStatusCodes?.has(status)
    ? { ...head, readableStreamBody: Readable.from([body]) }
    : { ...head, bodyAsText: body.toString() }
}

/** The request's own, emptied: the SDK exports no way to make any. */
function renderHeaders({ headers: own }: HttpRequest, { headers, body }: EgressResponse) {
  const rendered = own.clone()
  for (const name of rendered.headerNames()) rendered.remove(name)
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) rendered.set(name, typeof value === 'string' ? value : value.join(', '))
  }
  // Where it points is not followed, by the SDK neither.
  rendered.remove('location')
  // What was compressed on the way is not any more.
  rendered.remove('content-encoding')
  if (headers['content-length'] !== undefined) rendered.set('content-length', body.length)
  return rendered
}

/** Streams are not taken: what has no known size has no bound. */
function readBody(body: unknown): string | Buffer | undefined {
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  throw new TypeError('A request body must be text or bytes.')
}
