import { Readable } from 'node:stream'
import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import type { EgressClient, ResponseHead } from '../../../egress/egress.ts'

/** A request as the SDK hands it over, signed. */
interface SdkRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly method: string
  readonly query?: Readonly<Record<string, string | string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** What bounds one request. */
export interface RequestLimits {
  /** From the request to the end of the answer, in milliseconds. */
  readonly timeoutMs: number
  readonly responseBytesMax: number
}

/** Set by the one who sends; the SDK's own would say the same, and `expect` needs a dialogue that egress does not have. */
const hopHeaders: ReadonlySet<string> = new Set(['host', 'content-length', 'connection', 'expect'])

/**
 * The SDK's way out, through Weir's (S10): every address is checked, every wait and size bounded, and no redirect is
 * followed, so a signed request and what it carries reach the configured endpoint or nothing.
 */
export class EgressRequestHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' }
  readonly #client: EgressClient
  readonly #limits: RequestLimits

  constructor(client: EgressClient, limits: RequestLimits) {
    this.#client = client
    this.#limits = limits
  }

  async handle(request: SdkRequest, { abortSignal }: { readonly abortSignal?: unknown } = {}) {
    const { timeoutMs, responseBytesMax } = this.#limits
    const body = readBody(request.body)
    const answer = await this.#client.request(renderUrl(request), {
      method: request.method,
      headers: renderHeaders(request.headers),
      ...(body === undefined ? {} : { body }),
      signal: abortSignal as StopSignal | undefined,
      redirect: 'manual',
      headersTimeoutMs: timeoutMs,
      bodyTimeoutMs: timeoutMs,
      totalTimeoutMs: timeoutMs,
      responseBytesMax,
    })
    const response = {
      statusCode: answer.status,
      headers: joinHeaders(answer.headers),
      // In one piece: object reads want a stream, and everything else takes one.
      body: Readable.from([answer.body]),
    }
    return { response }
  }

  // Part of the SDK's interface: it would change options that are not its business here.
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {}
  }

  /** The sockets belong to the egress client, which many SDK clients share. */
  destroy(): void {}
}

/** Refuses a URL that URL parsers read otherwise than it was signed: `a/../b` would reach another object, or another bucket. */
function renderUrl({ protocol, hostname, port, path, query }: SdkRequest): URL {
  const base = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`
  const search = query === undefined ? '' : renderQuery(query)
  const url = URL.parse(`${base}${path}${search === '' ? '' : `?${search}`}`)
  if (url !== null && url.pathname === (path === '' ? '/' : path)) return url
  throw new WeirError('URL_NOT_ALLOWED', 'The name has parts such as `.` or `..` that change its path.', {
    hint: 'Use a name without such parts.',
    data: { sent: false },
  })
}

function renderQuery(query: NonNullable<SdkRequest['query']>): string {
  return Object.entries(query)
    .flatMap(([name, value]) =>
      value === null
        ? [escapeUri(name)]
        : [value].flat().map((each) => `${escapeUri(name)}=${escapeUri(each)}`),
    )
    .join('&')
}

/** As RFC 3986 has it, which is what is signed; encodeURIComponent leaves five characters more. */
function escapeUri(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function renderHeaders(headers: SdkRequest['headers']): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    hopHeaders.has(name.toLowerCase()) ? [] : [name, String(value)],
  )
}

function joinHeaders(headers: ResponseHead['headers']): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return joined
}

/** Streams are not taken: what has no known size has no bound. */
function readBody(body: unknown): string | Buffer | undefined {
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  throw new TypeError('A request body must be text or bytes.')
}
