import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import type { EgressClient, EgressRequest, EgressResponse } from '../../egress/egress.ts'
import { abandonOn } from '../shared/abandon-on.ts'
import { createRefusal, cutText, judgeStatus, redactSecrets } from '../shared/cloud/create-refusal.ts'
import type { CredentialCache } from '../shared/cloud/credential-cache.ts'
import type { Abortable } from '../shared/cloud/object-store.ts'
import type { Token } from './token-source.ts'

const service = 'Google Cloud Storage'
const timeoutMs = 30_000
const throttling: ReadonlySet<string> = new Set([
  'rateLimitExceeded',
  'userRateLimitExceeded',
  'backendError',
])

/** One request to the JSON API. */
export interface GcsRequest extends Pick<EgressRequest, 'method' | 'body'> {
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly contentType?: string
  readonly responseBytesMax: number
}

/** Speaks Google's JSON API through egress (S10): no redirect is followed, so a token reaches the endpoint or nothing. */
export class GcsClient {
  readonly #client: EgressClient
  readonly #endpoint: string
  readonly #tokens: CredentialCache<Token>

  constructor(client: EgressClient, endpoint: string, tokens: CredentialCache<Token>) {
    this.#client = client
    this.#endpoint = endpoint.replace(/\/+$/, '')
    this.#tokens = tokens
  }

  /** Resolves with what is no refusal; rejects with a WeirError, or the signal's reason. */
  async send(request: GcsRequest, { signal }: Abortable): Promise<EgressResponse> {
    signal.throwIfAborted()
    const token = await abandonOn(signal, this.#tokens.get())
    const { method = 'GET', body, contentType } = request
    const answer = await this.#client.request(this.#renderUrl(request), {
      method,
      headers: {
        ...(token.value === undefined ? {} : { authorization: `Bearer ${token.value}` }),
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body }),
      signal,
      redirect: 'manual',
      totalTimeoutMs: timeoutMs,
      responseBytesMax: request.responseBytesMax,
    })
    if (answer.status < 300) return answer
    if (answer.status === 401) this.#tokens.expire()
    throw explainRefusal(answer, token)
  }

  /** `send`, and what it answers as an object. */
  async sendForJson(request: GcsRequest, context: Abortable): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.send(request, context)
    const parsed = parse(answer.body)
    if (parsed !== undefined) return parsed
    throw createRefusal('CLOUD_ERROR', {
      ...describeAnswer(answer),
      errorCode: `HTTP ${answer.status}`,
      text: 'something that is no answer of Google',
    })
  }

  #renderUrl({ path, query = {} }: GcsRequest): string {
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return `${this.#endpoint}${path}?${new URLSearchParams(given)}`
  }
}

/** Whether a request failed because there is no such object; a bucket that is not there is something else. */
export function isObjectMissing(thrown: unknown): boolean {
  return (
    thrown instanceof WeirError &&
    thrown.data?.['status'] === 404 &&
    String(thrown.data['error']).startsWith('No such object')
  )
}

function explainRefusal(answer: EgressResponse, { value }: Token): WeirError {
  const { status } = answer
  const { error } = parse(answer.body) ?? {}
  const { message, errors } = isObject(error) ? error : {}
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined
  const reason = isObject(first) ? String(first['reason']) : ''
  const { code, hint } = judgeStatus(status, throttling.has(reason))
  const text =
    typeof message === 'string' && message !== '' ? message : `HTTP status ${status}, and nothing more`
  return createRefusal(code, {
    ...describeAnswer(answer),
    errorCode: /^[A-Za-z]\w{0,99}$/.test(reason) ? reason : `HTTP ${status}`,
    text: redactSecrets(cutText(text), value === undefined ? [] : [value]),
    hint,
  })
}

function describeAnswer({ status, headers }: EgressResponse) {
  const requestId = headers['x-guploader-uploadid']
  return {
    service,
    status,
    hint: undefined,
    requestId: typeof requestId === 'string' ? requestId.slice(0, 200) : undefined,
    cause: undefined,
  }
}

function parse(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString())
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
