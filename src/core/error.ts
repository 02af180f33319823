import { type ErrorCode, type ErrorSpec, errorCatalogue } from './error-catalogue.ts'

export type { ErrorCode } from './error-catalogue.ts'

/** What an error carries beside its code and message. */
export interface WeirErrorOptions {
  /** What to do about it: one sentence, for the audience the catalogue names. */
  readonly hint?: string
  /** What lies behind it. Goes to the log, never to a caller. */
  readonly cause?: unknown
  /** Facts for programs, sent to the caller: the offending names, positions, limits. No secrets. */
  readonly data?: Readonly<Record<string, unknown>>
}

/** The one error class. `message` says what happened, with the value seen; it leaves the process, so it holds no secret. */
export class WeirError extends Error {
  override readonly name = 'WeirError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly data: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode, message: string, options: WeirErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.data = options.data
  }

  /** The catalogue's entry for this code. */
  get spec(): ErrorSpec {
    return errorCatalogue[this.code]
  }
}

/** What was thrown, as a WeirError: itself if it is one, else INTERNAL with the original as its cause and nothing of it in the message. */
export function toWeirError(thrown: unknown): WeirError {
  if (thrown instanceof WeirError) return thrown
  return new WeirError('INTERNAL', 'Weir failed to run this call.', {
    hint: 'The log holds the cause under this call id; please report it if it happens again.',
    cause: thrown,
  })
}

/** Whether the connection vouches that nothing of the call has left, so that another one may have it (R3). */
export function wasNotSent(thrown: unknown): boolean {
  if (!(thrown instanceof WeirError) || thrown.data?.['sent'] !== false) return false
  return vouching.has(thrown.code)
}

const vouching: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONNECTION_UNAVAILABLE',
  'UPSTREAM_UNREACHABLE',
  'DATABASE_UNAVAILABLE',
  'BROKER_UNAVAILABLE',
])

/** The caller-facing form of an error, the same in every dialect. */
export interface ErrorBody {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly retryable: boolean
  readonly data?: Readonly<Record<string, unknown>>
}

/** Leaves out stack and cause. */
export function renderError(error: WeirError): ErrorBody {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    retryable: error.spec.retryable,
    ...(error.data === undefined ? {} : { data: error.data }),
  }
}
