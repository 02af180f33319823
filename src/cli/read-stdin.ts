import { WeirError } from '../core/error.ts'

/** As much as the gateway itself reads in one request. */
const bytesMax = 4 * 1024 * 1024

/** Everything on stdin, as text. Throws BODY_TOO_LARGE beyond 4 MiB. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bytesMax) {
      throw new WeirError('BODY_TOO_LARGE', `Standard input holds more than ${bytesMax} bytes.`, {
        hint: 'Send less in one call.',
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
