import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { isObject, parseJson } from '../../../core/parse-json.ts'
import type { EgressClient, EgressRequest, EgressResponse } from '../../../egress/egress.ts'
import { isSecureUrl } from './auth-config.ts'
import { authError } from './auth-error.ts'

const answerBytesMax = 256 * 1024
const answerMs = 15_000
const jsonLimits = { depthMax: 16, elementsMax: 10_000 }

/** An answer of an authorization server: what of it is a JSON object, and nothing else of its body. */
export interface OAuthAnswer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>> | undefined
}

/** The way to authorization servers: the connection's own address guard, no header of the connection, small answers. */
export class OAuthHttp {
  readonly #client: EgressClient

  constructor(client: EgressClient) {
    this.#client = client
  }

  /** Fetches a document that is public. */
  get(url: string, signal: StopSignal): Promise<OAuthAnswer> {
    return this.#send(url, { headers: { accept: 'application/json' }, redirect: 'same-origin' }, signal)
  }

  /** Sends secrets, and so follows no redirect at all. */
  post(
    url: string,
    body: URLSearchParams | object,
    signal: StopSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<OAuthAnswer> {
    const isForm = body instanceof URLSearchParams
    const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json'
    const request = {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': type, ...headers },
      body: isForm ? body.toString() : JSON.stringify(body),
      redirect: 'error',
    } as const
    return this.#send(url, request, signal)
  }

  async #send(url: string, request: EgressRequest, signal: StopSignal): Promise<OAuthAnswer> {
    if (!isSecureUrl(url)) throw insecure(url)
    const bounds = { signal, totalTimeoutMs: answerMs, responseBytesMax: answerBytesMax }
    try {
      const answer = await this.#client.request(url, { ...request, ...bounds })
      return { status: answer.status, json: readObject(answer) }
    } catch (error) {
      throw signal.aborted ? error : explain(error)
    }
  }
}

function insecure(url: string): WeirError {
  return authError(`${URL.parse(url)?.origin ?? 'Something that is no URL'} is no place for secrets.`, {
    hint: 'Every part of an authorization server must be under https, without a user name in its URL.',
  })
}

function readObject({ body }: EgressResponse): OAuthAnswer['json'] {
  try {
    const value = parseJson(body.toString('utf8'), jsonLimits)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Nothing of the call that waits for a token has been sent, whatever became of the token's own request (R3). */
function explain(error: unknown): unknown {
  if (!(error instanceof WeirError)) return error
  return new WeirError(error.code, `On the way to a token: ${error.message}`, {
    cause: error,
    data: { ...error.data, sent: false },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}
