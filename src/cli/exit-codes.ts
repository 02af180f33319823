import type { ErrorCode } from '../core/error.ts'

/** What the process ends with: one number for each kind of end that a script may want to tell apart. */
export const exits = {
  ok: 0,
  usage: 1,
  invalidConfig: 2,
  notAuthorized: 3,
  unreachable: 4,
  toolError: 5,
  denied: 6,
  timeout: 7,
  overloaded: 8,
  interrupted: 130,
} as const

type Exit = keyof typeof exits

/** The one table from an error's code to the process's end. A new code does not compile until it is placed here. */
const exitByCode: Readonly<Record<ErrorCode, Exit>> = {
  PARSE_ERROR: 'usage',
  INVALID_REQUEST: 'usage',
  METHOD_NOT_FOUND: 'usage',
  INVALID_PARAMS: 'usage',
  TOOL_NOT_FOUND: 'usage',
  TOOL_AMBIGUOUS: 'usage',
  RESOURCE_NOT_FOUND: 'usage',
  PROMPT_NOT_FOUND: 'usage',
  HEADER_MISMATCH: 'usage',
  MISSING_CAPABILITY: 'usage',
  UNSUPPORTED_VERSION: 'usage',
  SESSION_NOT_FOUND: 'usage',
  BODY_TOO_LARGE: 'usage',
  BODY_TOO_COMPLEX: 'usage',
  BATCH_TOO_LARGE: 'usage',
  FORBIDDEN_KEY: 'usage',
  UNSUPPORTED_MEDIA_TYPE: 'usage',
  NOT_ACCEPTABLE: 'usage',
  METHOD_NOT_ALLOWED: 'usage',
  ROUTE_NOT_FOUND: 'usage',
  INVALID_INPUT: 'usage',
  PORT_TAKEN: 'usage',
  INTERNAL: 'usage',
  CONFIG_INVALID: 'invalidConfig',
  CONFIG_NOT_FOUND: 'invalidConfig',
  BIND_REFUSED: 'invalidConfig',
  STORE_UNUSABLE: 'invalidConfig',
  UPSTREAM_AUTH: 'notAuthorized',
  CONNECTION_UNAVAILABLE: 'unreachable',
  DATABASE_UNAVAILABLE: 'unreachable',
  UPSTREAM_UNREACHABLE: 'unreachable',
  UPSTREAM_EXITED: 'unreachable',
  SHUTTING_DOWN: 'unreachable',
  STORE_UNAVAILABLE: 'unreachable',
  INVALID_OUTPUT: 'toolError',
  NOT_RUN: 'toolError',
  INPUT_UNSUPPORTED: 'toolError',
  RESUME_LOST: 'toolError',
  UNKNOWN_DATABASE: 'toolError',
  UNKNOWN_API: 'toolError',
  SQL_ERROR: 'toolError',
  SQL_NOT_SINGLE: 'toolError',
  SQL_BUSY: 'toolError',
  TOO_MANY_REDIRECTS: 'toolError',
  RESPONSE_TOO_LARGE: 'toolError',
  UPSTREAM_ERROR: 'toolError',
  UPSTREAM_PROTOCOL: 'toolError',
  UPSTREAM_FAILED: 'toolError',
  UPSTREAM_REFUSED: 'toolError',
  STORE_VALUE_TOO_LARGE: 'toolError',
  HOST_NOT_ALLOWED: 'denied',
  ORIGIN_NOT_ALLOWED: 'denied',
  SQL_READ_ONLY: 'denied',
  SQL_FORBIDDEN: 'denied',
  URL_NOT_ALLOWED: 'denied',
  HEADER_NOT_ALLOWED: 'denied',
  ADDRESS_NOT_ALLOWED: 'denied',
  DEADLINE_EXCEEDED: 'timeout',
  UPSTREAM_TIMEOUT: 'timeout',
  OVERLOADED: 'overloaded',
  TOO_MANY_STREAMS: 'overloaded',
  CANCELLED: 'interrupted',
}

/** The exit code of an error; a code that only a newer Weir knows is a failed tool. */
export function exitOf(code: string): number {
  const known = Object.hasOwn(exitByCode, code) ? exitByCode[code as ErrorCode] : 'toolError'
  return exits[known]
}
