import { isUtf8 } from 'node:buffer'
import type { EgressResponse } from '../../egress/egress.ts'
import { isCredentialHeader } from './header-rules.ts'
import type { Redactor } from './redact.ts'

/** What `http_request` answers (D0-036). */
export interface HttpAnswer {
  readonly status_code: number
  readonly headers: Readonly<Record<string, string>>
  /**
   * The parsed JSON; `{}` for an empty body; `{ raw_response }` for text;
   * `{ raw_base64, media_type }` for bytes that are no text.
   */
  readonly data: unknown
  /** Whether the status is 2xx. */
  readonly success: boolean
}

const hopHeaders = /^(connection|keep-alive|transfer-encoding|trailer|upgrade|proxy-.*)$/
const authHeaders = /^(www-authenticate|authentication-info)$/

/** Leaves out cookies, credentials and headers of the connection; redacts the rest (B-12). */
export function renderAnswer(response: EgressResponse, redactor: Redactor): HttpAnswer {
  const { status } = response
  return {
    status_code: status,
    headers: renderHeaders(response.headers, redactor),
    data: renderBody(response, redactor),
    success: status >= 200 && status < 300,
  }
}

function renderHeaders(headers: EgressResponse['headers'], redactor: Redactor): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name, value]) =>
      value !== undefined && !hopHeaders.test(name) && !authHeaders.test(name) && !isCredentialHeader(name),
  )
  return Object.fromEntries(kept.map(([name, value]) => [name, redactor.text([value].flat().join(', '))]))
}

function renderBody(response: EgressResponse, redactor: Redactor): unknown {
  const { body } = response
  if (body.length === 0) return {}
  const mediaType = readMediaType(response)
  const text = decodeText(body, mediaType)
  if (text === undefined) return renderBytes(body, mediaType, redactor)
  // Servers label JSON as text often enough that objects and arrays count under any label.
  const parsed = isJsonType(mediaType) || /^\s*[[{]/.test(text) ? parseJson(text, redactor) : undefined
  return parsed === undefined ? { raw_response: redactor.text(text) } : parsed.value
}

/** A body as D0-040 has it: parsed where its media type is JSON, else its text, `''` where there is none. */
export function renderBodyByType(response: EgressResponse, redactor: Redactor): unknown {
  const mediaType = readMediaType(response)
  const text = decodeText(response.body, mediaType)
  if (text === undefined) return renderBytes(response.body, mediaType, redactor)
  const parsed = isJsonType(mediaType) ? parseJson(text, redactor) : undefined
  return parsed === undefined ? redactor.text(text) : parsed.value
}

function readMediaType({ headers }: EgressResponse): string {
  return [headers['content-type']].flat()[0] ?? 'application/octet-stream'
}

function isJsonType(mediaType: string): boolean {
  return /[/+]json\b/i.test(mediaType)
}

function renderBytes(body: Buffer, mediaType: string, redactor: Redactor) {
  return { raw_base64: redactor.bytes(body).toString('base64'), media_type: redactor.text(mediaType) }
}

/** Undefined where the bytes are no text. UTF-8 unless the media type names another charset. */
function decodeText(body: Buffer, mediaType: string): string | undefined {
  const charset = /;\s*charset="?([\w-]+)/i.exec(mediaType)?.[1]
  if (charset === undefined || /^utf-?8$/i.test(charset)) {
    if (!isUtf8(body)) return undefined
    return body.toString().replace(/^\ufeff/, '')
  }
  try {
    return new TextDecoder(charset).decode(body)
  } catch {
    return undefined
  }
}

/** Undefined where the text is not JSON. What nests too deep to be written again stays text. */
function parseJson(text: string, redactor: Redactor): { readonly value: unknown } | undefined {
  try {
    return redactor.json(JSON.parse(text))
  } catch {
    return undefined
  }
}
