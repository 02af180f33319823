import { type CallEvent, type LogLevel, logLevels } from '../../core/event.ts'
import { renderNotification } from '../../wire/json-rpc.ts'
import type { Exchange } from './exchange.ts'

/**
 * Turns what a running call says into notifications its client asked for. Undefined where it asked for none, so that
 * the call runs without: a progress token asks for progress; a log level (modern) or a session (legacy) for logs.
 */
export function createEmit(exchange: Exchange): ((event: CallEvent) => void) | undefined {
  const { notify, meta } = exchange
  if (notify === undefined) return undefined
  const { progressToken } = meta
  if (progressToken === undefined && wantedLogLevel(exchange) === undefined) return undefined
  return (event) => {
    if (event.kind === 'progress') {
      if (progressToken === undefined) return
      const { kind: _kind, extra, ...progress } = event
      notify(renderNotification('notifications/progress', { ...extra, ...progress, progressToken }))
      return
    }
    if (event.kind === 'elicitation-complete') {
      // The new era has no such notification: its clients call again when they think fit.
      const { elicitationId } = event
      if (exchange.revision.era === 'legacy')
        notify(renderNotification('notifications/elicitation/complete', { elicitationId }))
      return
    }
    const mildest = wantedLogLevel(exchange)
    if (mildest === undefined || rank(event.level) < rank(mildest as LogLevel)) return
    const { kind: _kind, ...message } = event
    notify(renderNotification('notifications/message', message))
  }
}

/** What servers of the old era send to a client that never said which level it wants. */
const legacyLogLevel = 'info'

/** The mildest level to pass on; undefined for a modern client that asked for none. A session may change its own at any time. */
export function wantedLogLevel({ revision, meta, session }: Exchange): string | undefined {
  if (revision.era === 'modern') return meta.logLevel
  return session === undefined ? undefined : (session.logLevel ?? legacyLogLevel)
}

function rank(level: LogLevel): number {
  return logLevels.indexOf(level)
}
