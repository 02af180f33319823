import { isUtf8 } from 'node:buffer'

const textual =
  /^(?:text\/|application\/(?:json|xml|javascript|ecmascript|yaml|x-yaml|toml|sql|graphql|x-sh|x-ndjson|jsonl|x-www-form-urlencoded|x-httpd-php|rtf)\b|message\/|image\/svg\+xml|[^;]*\+(?:json|xml|yaml)\b)/i
/** What stores call an object that nobody named: it says nothing, so the bytes decide. */
const unnamed = /^(?:(?:application|binary)\/octet-stream)?(?:;|$)/i

/** Whether a media type says that what it names is text. */
export function isTextual(mediaType: string): boolean {
  return textual.test(mediaType)
}

/**
 * Bytes as text where they are UTF-8 and their media type agrees, else as base64 (B-16). A byte of zero is never text
 * where the type does not say so.
 */
export function renderBody(body: Buffer, mediaType = 'application/octet-stream') {
  const mayBeText = isTextual(mediaType) || (unnamed.test(mediaType) && !body.includes(0))
  return mayBeText && isUtf8(body)
    ? { content: body.toString(), media_type: mediaType }
    : { content_base64: body.toString('base64'), media_type: mediaType }
}
