import type { OutgoingHttpHeaders } from 'node:http2'
import { type Dispatcher, errors } from 'undici'

const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const noValue = /[^\t\x20-\x7e\x80-\xff]/
/** They belong to one HTTP/1.1 connection and mean nothing here; as in HTTP/1.1, nobody but Weir sets framing. */
const refused: ReadonlySet<string> = new Set(['transfer-encoding', 'keep-alive', 'upgrade', 'expect'])

/**
 * The header block of a request over HTTP/2. Refuses what undici refuses over HTTP/1.1, with the same errors, so that
 * nobody smuggles a header past one protocol that the other would stop.
 */
export function toStreamHeaders(options: Dispatcher.DispatchOptions, origin: string): OutgoingHttpHeaders {
  const { method, path, body } = options
  const flat = options.headers as readonly string[]
  const { host } = new URL(origin)
  if (!token.test(method.toLowerCase())) throw new errors.InvalidArgumentError('invalid request method')
  const headers = Object.create(null) as Record<string, string | string[]>
  headers[':method'] = method
  headers[':scheme'] = 'https'
  headers[':authority'] = host
  headers[':path'] = path
  const length = body == null ? undefined : Buffer.byteLength(body as string | Buffer)
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at]!.toLowerCase()
    const value = flat[at + 1]!
    if (!token.test(name)) throw new errors.InvalidArgumentError('invalid header key')
    if (noValue.test(value) || refused.has(name)) throw invalid(name)
    if (name === 'connection') continue
    if (name === 'host') {
      if (value.toLowerCase() !== host) throw invalid(name)
    } else if (name === 'content-length') {
      if (value !== String(length ?? 0)) throw new errors.RequestContentLengthMismatchError()
    } else add(headers, name, value)
  }
  if (length !== undefined) headers['content-length'] = String(length)
  return headers
}

function add(headers: Record<string, string | string[]>, name: string, value: string): void {
  const known = headers[name]
  if (known === undefined) headers[name] = value
  else if (Array.isArray(known)) known.push(value)
  else headers[name] = [known, value]
}

function invalid(name: string): Error {
  return new errors.InvalidArgumentError(`invalid ${name} header`)
}
