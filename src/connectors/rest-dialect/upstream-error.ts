import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'

const wordsCharsMax = 1_000

/** The server said what this dialect does not know. */
export function protocolError(message: string, cause?: unknown): WeirError {
  return new WeirError('UPSTREAM_PROTOCOL', message, {
    hint: 'Check that `url` is a server of the REST dialect.',
    data: { sent: true },
    cause,
  })
}

/** What an HTTP status of 400 or more stands for, in the server's own words where it has some. */
export function statusError(status: number, body: unknown): WeirError {
  const words = readWords(body)
  const message = `The server answered with HTTP status ${status}${words === undefined ? '.' : `: ${words}`}`
  const data = { status, sent: true }
  if (status === 401 || status === 403) {
    const hint = 'Set the credential that this server asks for under `headers`.'
    return new WeirError('UPSTREAM_AUTH', message, { hint, data })
  }
  // These three mean, by definition, that no server stood behind the one that answered.
  if (status >= 502 && status <= 504) return new WeirError('UPSTREAM_UNREACHABLE', message, { data })
  const hint = 'Check that `url` is a server of the REST dialect.'
  return new WeirError('UPSTREAM_ERROR', message, { hint, data })
}

/** `error` is the dialect's own, `detail` that of the framework it was written for. */
function readWords(body: unknown): string | undefined {
  if (!isObject(body)) return undefined
  const said = body['error'] ?? body['detail']
  if (said === undefined || said === null) return undefined
  return clip(typeof said === 'string' ? said : JSON.stringify(said), wordsCharsMax)
}

/** The text, cut where it is too long. */
export function clip(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`
}
