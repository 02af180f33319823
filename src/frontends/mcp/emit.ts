import { type CallEvent, type LogLevel, logLevels } from '../../core/event.ts'
import { renderNotification } from '../../wire/json-rpc.ts'
import type { Exchange } from './methods.ts'

/**
 * Turns what a running call says into notifications its client asked for. Undefined where it asked for none, so that
 * the call runs without: a progress token asks for progress; a log level (modern) or a session (legacy) for logs.
 */
export function createEmit(exchange: Exchange): ((event: CallEvent) => void) | undefined {
  const { notify, meta, session, revision } = exchange
  if (notify === undefined) return undefined
  const { progressToken } = meta
  const wantsLog = () => (revision.era === 'modern' ? meta.logLevel : (session?.logLevel ?? 'debug'))
  if (progressToken === undefined && wantsLog() === undefined) return undefined
  return (event) => {
    if (event.kind === 'progress') {
      if (progressToken === undefined) return
      const { kind: _kind, extra, ...progress } = event
      notify(renderNotification('notifications/progress', { ...extra, ...progress, progressToken }))
      return
    }
    const mildest = wantsLog()
    if (mildest === undefined || rank(event.level) < rank(mildest as LogLevel)) return
    const { kind: _kind, ...message } = event
    notify(renderNotification('notifications/message', message))
  }
}

function rank(level: LogLevel): number {
  return logLevels.indexOf(level)
}
