import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib'
import { WeirError } from '../core/error.ts'

type Decoder = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const decoders: Readonly<Record<string, Decoder>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
}

/** Whether a Content-Encoding header means the bytes are the content itself. */
export function isIdentity(encoding: string | string[] | undefined): boolean {
  return encoding === undefined || encoding === '' || encoding === 'identity'
}

/**
 * Undoes one Content-Encoding, for servers that send one unasked. Throws RESPONSE_TOO_LARGE as soon as the
 * content outgrows `bytesMax`, so that a small answer cannot unfold into a big one.
 */
export async function decodeBody(
  body: Buffer,
  encoding: string | string[] | undefined,
  bytesMax: number,
  origin: string,
): Promise<Buffer> {
  const name = typeof encoding === 'string' ? encoding.trim().toLowerCase() : ''
  const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined
  if (decode === undefined) throw undecodable(origin, encoding)
  // A HEAD or 204 answer may name an encoding without having a body.
  if (body.length === 0) return body
  try {
    return await decode(body, { maxOutputLength: Math.min(bytesMax, 2 ** 31) })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(origin, bytesMax)
    throw undecodable(origin, encoding, cause)
  }
}

/** The error of an answer whose encoding is unknown, or does not hold. */
export function undecodable(origin: string, encoding: unknown, cause?: unknown): WeirError {
  return new WeirError('UPSTREAM_ERROR', `The answer from ${origin} cannot be decoded as ${encoding}.`, {
    ...(cause === undefined ? {} : { cause }),
    data: { origin, sent: true },
  })
}

/** The error of an answer that is larger than its caller takes. */
export function tooLarge(origin: string, bytesMax: number): WeirError {
  return new WeirError('RESPONSE_TOO_LARGE', `The answer from ${origin} is larger than ${bytesMax} bytes.`, {
    data: { origin, responseBytesMax: bytesMax, sent: true },
  })
}
