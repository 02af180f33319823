import { destination, type Logger as PinoLogger, pino } from 'pino'
import type { Logger } from '../core/logger.ts'
import { redactFields } from './redact.ts'

/** How much is written, and how. */
export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** `json`: one object a line. `pretty`: for people at a terminal. */
  readonly format: 'json' | 'pretty'
  /** Replaces the secrets in a line before it is written (S16). */
  readonly redact: (line: string) => string
}

/** The log of the whole process. It exists before the configuration does, and is told about it once. */
export interface Log extends Logger {
  configure(settings: LogSettings): void
  /** Whether lines of level debug are written, for callers that would work to make one. */
  readonly isDebug: boolean
  /** Writes out what is still buffered; for the last moment of a process. */
  flush(): void
}

/**
 * Lines are written together, so that a line costs no system call of its own, and none waits longer than `flushMs`.
 * Beyond `charsMax`, where a terminal or a pipe takes nothing, lines are lost and the process lives.
 */
const buffer = { chars: 4_096, flushMs: 100, charsMax: 8 * 1024 * 1024 }

/** Structured lines on standard error, or where `write` puts them. Buffered: a slow terminal never holds up a call. */
export function createLog(write?: (line: string) => void): Log {
  const sink =
    write === undefined
      ? destination({
          dest: 2,
          sync: false,
          minLength: buffer.chars,
          maxLength: buffer.charsMax,
          periodicFlush: buffer.flushMs,
        })
      : undefined
  const put = write ?? ((line: string) => void sink?.write(line))
  let settings: LogSettings = { level: 'info', format: 'json', redact: (line) => line }
  const logger: PinoLogger = pino(
    {
      level: settings.level,
      base: null,
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }), log: redactFields },
    },
    {
      write: (line: string) => put(settings.redact(settings.format === 'pretty' ? renderPretty(line) : line)),
    },
  )
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    configure(chosen) {
      settings = chosen
      logger.level = chosen.level
    },
    get isDebug() {
      return logger.isLevelEnabled('debug')
    },
    flush() {
      try {
        sink?.flushSync()
      } catch {
        // The sink may not have opened its descriptor yet; what it holds is written when it does.
      }
    },
  }
}

/** Many lines share one millisecond, and rendering a date costs more than the rest of a line. */
function createTimestamp(): () => string {
  let lastMs = 0
  let text = ''
  return () => {
    const nowMs = Date.now()
    if (nowMs !== lastMs) {
      lastMs = nowMs
      text = `,"time":"${new Date(nowMs).toISOString()}"`
    }
    return text
  }
}

/** What a terminal obeys and JSON does not escape. */
const controls = /[\u007f-\u009f]/g

function renderPretty(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
  const text = `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${String(msg)}${rest.join('')}\n`
  return text.replace(controls, '')
}
