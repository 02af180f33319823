import type { ErrorCode, WeirError } from '../core/error.ts'

/**
 * What an error says of the system behind a target: `fault`, it does not work; `answer`, it works, and said no;
 * `neither`, nothing (it was never asked, or the caller left).
 */
export type Judgement = 'fault' | 'answer' | 'neither'

/**
 * An error by its code (B-28, B-71). CONNECTION_UNAVAILABLE says nothing here: the connection itself waits for its
 * system, tries again and refuses at once meanwhile, and a breaker on top would only keep it shut for longer. The
 * deadline says nothing by its code either: how much time the target really had is for the caller of this to know.
 */
export function judgeFailure({ code }: WeirError): Judgement {
  if (faults.has(code)) return 'fault'
  return answers.has(code) ? 'answer' : 'neither'
}

/**
 * Whether a fault is a way to the system that broke: one restart fails all the calls that are under way, and must not
 * open a breaker by their number. A system that stays away fails those that come after, each for itself.
 */
export function isBreak({ code }: WeirError): boolean {
  return breaks.has(code)
}

const breaks: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_EXITED',
  'DATABASE_UNAVAILABLE',
  'BROKER_UNAVAILABLE',
])

const faults: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_FAILED',
  'UPSTREAM_EXITED',
  'UPSTREAM_PROTOCOL',
  'DATABASE_UNAVAILABLE',
  'BROKER_UNAVAILABLE',
  'CLOUD_BUSY',
  'OUTCOME_UNKNOWN',
])

const answers: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UPSTREAM_REFUSED',
  'UPSTREAM_ERROR',
  'INVALID_OUTPUT',
  'RESPONSE_TOO_LARGE',
  'TOO_MANY_REDIRECTS',
  'SQL_ERROR',
  'SQL_CONFLICT',
  'SQL_BUSY',
  'ROW_NOT_FOUND',
  'BROKER_ERROR',
  'MAIL_REFUSED',
  'MAIL_DEFERRED',
])
