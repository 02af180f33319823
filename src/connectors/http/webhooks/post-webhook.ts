import type { StopSignal } from '../../../core/cancellation.ts'
import type { EgressClient } from '../../../egress/egress.ts'
import { boundTime } from '../bound-time.ts'

/** What a receiver said; its text is cut where it says more than anybody reads. */
export interface WebhookAnswer {
  readonly status: number
  readonly text: string
}

const textBytesMax = 64 * 1024

/** Sends one body, once, and follows no redirect. What the receiver answers beyond 64 KiB is not waited for. */
export async function postWebhook(
  client: EgressClient,
  url: URL,
  request: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  { stop, timeoutMs }: { readonly stop: StopSignal; readonly timeoutMs: number },
): Promise<WebhookAnswer> {
  const enough = new Error('Enough of the answer was read.')
  const chunks: Buffer[] = []
  let bytes = 0
  let status = 0
  const read = () => ({ status, text: Buffer.concat(chunks).subarray(0, textBytesMax).toString() })
  try {
    const answer = await client.request(url, {
      method: 'POST',
      ...request,
      signal: stop,
      redirect: 'manual',
      ...boundTime(timeoutMs),
      onHead: (head, stream) => {
        status = head.status
        // What is encoded, though nobody asked for that, is decoded as a whole or not at all.
        if (head.headers['content-encoding'] !== undefined) return undefined
        return (chunk) => {
          chunks.push(chunk)
          bytes += chunk.length
          if (bytes > textBytesMax) stream.abort(enough)
        }
      },
    })
    return answer.body.length === 0
      ? read()
      : { status, text: answer.body.subarray(0, textBytesMax).toString() }
  } catch (thrown) {
    if (thrown === enough) return read()
    throw thrown
  }
}
