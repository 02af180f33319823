import { WeirError } from '../../../core/error.ts'
import type { EgressClient } from '../../../egress/egress.ts'

const checkTimeoutMs = 5_000

/** Resolves where a service gives any answer to a request without credentials. Rejects with its name in the error. */
export async function checkEndpoint(
  client: EgressClient,
  url: string,
  service: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.request(url, { method: 'HEAD', redirect: 'manual', signal, totalTimeoutMs: checkTimeoutMs })
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown
    throw new WeirError(thrown.code, `${service}: ${thrown.message}`, {
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      data: { ...thrown.data, service },
      cause: thrown,
    })
  }
}
