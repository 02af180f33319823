import { randomUUID } from 'node:crypto'
import type { StopSignal } from '../../core/cancellation.ts'
import type { Logger } from '../../core/logger.ts'
import type { Result } from '../../core/outcome.ts'
import type { EgressClient, EgressTarget } from '../../egress/egress.ts'
import type { RestDialectConfig } from './config.ts'
import { type Asked, readAnswer } from './read-answer.ts'
import { type Discovery, readDiscovery } from './read-discovery.ts'
import { protocolError, statusError } from './upstream-error.ts'

const bodyBytesMax = 16 * 1024 * 1024
const checkTimeoutMs = 5_000

/** Asks one server, in its dialect. */
export interface DialectClient {
  discover(log: Logger, signal: StopSignal): Promise<Discovery>
  execute(asked: Asked, input: unknown, signal: StopSignal): Promise<Result>
  /** Resolves where the server answers and does not say that it is ill. */
  check(healthPath: string, signal: StopSignal): Promise<void>
}

/** Throws where the server's address may not be reached. */
export function createDialectClient(config: RestDialectConfig, client: EgressClient): DialectClient {
  const base = config.url.replace(/\/+$/, '')
  const headers = { ...config.headers, accept: 'application/json' }
  const discovery = client.target(`${base}/mcp/discover`)
  const execution = client.target(`${base}/mcp/execute`)
  return {
    async discover(log, signal) {
      const { status, text } = await request(discovery, { headers, signal }, config.discoverTimeout)
      if (status < 400) return readDiscovery(text, log)
      throw statusError(status, undefined)
    },
    async execute(asked, input, signal) {
      const body = JSON.stringify({
        tools: [{ tool_slug: asked.slug, arguments: input }],
        // Servers of this dialect fail where there is none (B-124).
        request_id: randomUUID(),
      })
      const post = {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        signal,
      }
      const { status, text } = await request(execution, post, config.timeout)
      return readAnswer(status, text, asked)
    },
    async check(healthPath, signal) {
      // Without the configured headers: whether it lives is no secret, and they may be.
      const { status } = await request(client.target(`${base}${healthPath}`), { signal }, checkTimeoutMs)
      if (status >= 500) throw statusError(status, undefined)
    },
  }
}

async function request(
  target: EgressTarget,
  init: Parameters<EgressTarget['request']>[0],
  timeoutMs: number,
): Promise<{ readonly status: number; readonly text: string }> {
  const { status, body } = await target.request({
    ...init,
    redirect: 'same-origin',
    headersTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    totalTimeoutMs: timeoutMs,
    responseBytesMax: bodyBytesMax,
  })
  if (status >= 300 && status < 400) throw protocolError(`The server answered with HTTP status ${status}.`)
  return { status, text: body.toString() }
}
