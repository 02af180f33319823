import { WeirError } from '../../../core/error.ts'
import { decodeBase64 } from './decode-base64.ts'
import type { NewObject } from './object-store.ts'
import { isTextual } from './render-body.ts'

/** What of a call makes an object. */
export interface NewObjectInput {
  readonly content?: string | undefined
  readonly content_base64?: string | undefined
  readonly media_type?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** The object that a call writes. Throws INVALID_INPUT for none, two, no base64, or one of more than `bytesMax` bytes. */
export function readNewObject(input: NewObjectInput, bytesMax: number, bytesKey: string): NewObject {
  const { content, content_base64: base64, media_type: mediaType, metadata } = input
  if ((content === undefined) === (base64 === undefined)) {
    throw new WeirError('INVALID_INPUT', 'put needs one of content and content_base64.', {
      hint: 'Give text as `content`, other bytes as `content_base64`; an empty text makes an empty object.',
      data: { sent: false },
    })
  }
  const body = base64 === undefined ? Buffer.from(content ?? '') : decodeBase64(base64, 'content_base64')
  if (body.length > bytesMax) throw tooLarge(body.length, bytesMax, bytesKey)
  const plain = base64 === undefined ? 'text/plain; charset=utf-8' : 'application/octet-stream'
  return {
    body,
    mediaType: mediaType === undefined ? plain : nameCharset(mediaType, base64 === undefined),
    metadata,
  }
}

function tooLarge(bytes: number, bytesMax: number, bytesKey: string): WeirError {
  return new WeirError('INVALID_INPUT', `The object has ${bytes} bytes, and ${bytesMax} are allowed.`, {
    hint: `An operator can raise \`${bytesKey}\`.`,
    data: { objectBytesMax: bytesMax, sent: false },
  })
}

/** Text is sent as UTF-8, so that is what it is said to be. */
function nameCharset(mediaType: string, isText: boolean): string {
  const isBare = /^text\//i.test(mediaType) && !/;\s*charset=/i.test(mediaType)
  return isText && isBare && isTextual(mediaType) ? `${mediaType}; charset=utf-8` : mediaType
}
