import { WeirError } from '../../../core/error.ts'

/** Bytes of base64 text. Throws INVALID_INPUT for anything else, which Node would pass over in silence. */
export function decodeBase64(text: string, where: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')) return bytes
  throw new WeirError('INVALID_INPUT', `What stands in ${where} is no base64.`, {
    hint: 'Encode the bytes as base64, without line breaks.',
    data: { sent: false },
  })
}
