import type { StopSignal } from '../../../core/cancellation.ts'
import type { EgressClient } from '../../../egress/egress.ts'
import { headerNames } from '../../../wire/headers.ts'
import { renderRequest } from '../../../wire/json-rpc.ts'
import type { Implementation } from '../../../wire/model.ts'
import { newestModern } from '../../../wire/revisions/index.ts'
import { type Challenge, parseChallenge } from './challenge.ts'

const probeMs = 10_000
const answerBytesMax = 1024 * 1024

/** The server, the connection's own headers for it, and who asks. */
export interface Probed {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly self: Implementation
}

/** What a server says to somebody without a token, who asks for its tools; undefined where it lets them in. */
export async function probe(
  client: EgressClient,
  { url, headers: own, self }: Probed,
  signal: StopSignal,
): Promise<Challenge | undefined> {
  const _meta = newestModern.renderMeta({ clientCapabilities: {} }, self)
  const { status, headers } = await client.request(url, {
    method: 'POST',
    headers: {
      ...own,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      [headerNames.protocolVersion]: newestModern.version,
      [headerNames.method]: 'tools/list',
    },
    body: renderRequest(1, 'tools/list', { _meta }),
    ...{ signal, redirect: 'same-origin', totalTimeoutMs: probeMs, responseBytesMax: answerBytesMax },
  })
  return status === 401 || status === 403 ? parseChallenge(headers['www-authenticate']) : undefined
}
