/**
 * Structured log of one part. Fields first, then one short sentence, as pino has it; pino satisfies it.
 * Secrets in fields are redacted by key and by value before they are written.
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** For callers that want no log. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
