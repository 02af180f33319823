import { WeirError } from '../../core/error.ts'

const lengthMax = 255

/** The key that a client gave its call (R2), in `where`. Throws INVALID_REQUEST for one that is no key. */
export function readIdempotencyKey(given: unknown, where: string): string | undefined {
  if (given === undefined) return undefined
  if (typeof given === 'string' && given.length >= 1 && given.length <= lengthMax && isPrintable(given))
    return given
  throw new WeirError('INVALID_REQUEST', `${where} is no idempotency key.`, {
    hint: `Send 1 to ${lengthMax} printable ASCII characters, such as a UUID.`,
  })
}

function isPrintable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}
