import { type DestinationStream, destination, pino } from 'pino'
import type { Logger } from '../core/logger.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Replaces the secrets in a line before it is written. */
  readonly redact: (line: string) => string
  /** Where lines go; standard error by default, so that standard output stays free for data. */
  readonly write?: (line: string) => void
}

export interface Log extends Logger {
  /** The same log, with fields on every line. */
  child(fields: object): Log
  /** Writes out what is still buffered; for the last moment of a process. */
  flush(): void
  /** Whether lines of `debug` are written, for callers that would work to make one. */
  readonly isDebug: boolean
}

/** Keys whose values are never written, wherever they stand (S16). */
const secretKeys = ['authorization', 'password', 'token', 'secret', 'apiKey', 'api_key', 'cookie']

/** Structured JSON lines. Buffered, so that a slow terminal never holds up a call. */
export function createLog({ level, redact, write }: LogOptions): Log {
  const sink = write === undefined ? destination({ dest: 2, sync: false, minLength: 0 }) : undefined
  const stream: DestinationStream = {
    write: (line) => (write ?? ((text: string) => sink?.write(text)))(redact(line)),
  }
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
    },
    stream,
  )
  const wrap = (inner: pino.Logger): Log => ({
    debug: (fields, message) => inner.debug(fields, message),
    info: (fields, message) => inner.info(fields, message),
    warn: (fields, message) => inner.warn(fields, message),
    error: (fields, message) => inner.error(fields, message),
    child: (fields) => wrap(inner.child(fields)),
    flush: () => {
      try {
        sink?.flushSync()
      } catch {
        // The sink may not have opened its descriptor yet; what it holds is written when it does.
      }
    },
    isDebug: inner.isLevelEnabled('debug'),
  })
  return wrap(logger)
}
