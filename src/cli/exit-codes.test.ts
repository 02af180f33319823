import { expect, it } from 'vitest'
import { errorCatalogue } from '../core/error-catalogue.ts'
import { exitOf, exits } from './exit-codes.ts'

/** Scripts rely on these numbers, so they are written out here and never computed. */
const promised: Readonly<Record<number, string>> = {
  1: `PARSE_ERROR INVALID_REQUEST METHOD_NOT_FOUND INVALID_PARAMS TOOL_NOT_FOUND TOOL_AMBIGUOUS RESOURCE_NOT_FOUND
      PROMPT_NOT_FOUND HEADER_MISMATCH MISSING_CAPABILITY UNSUPPORTED_VERSION SESSION_NOT_FOUND BODY_TOO_LARGE
      BODY_TOO_COMPLEX BATCH_TOO_LARGE FORBIDDEN_KEY UNSUPPORTED_MEDIA_TYPE NOT_ACCEPTABLE METHOD_NOT_ALLOWED
      ROUTE_NOT_FOUND INVALID_INPUT PORT_TAKEN INTERNAL`,
  2: 'CONFIG_INVALID CONFIG_NOT_FOUND OPENAPI_INVALID BIND_REFUSED STORE_UNUSABLE',
  3: 'UPSTREAM_AUTH',
  4: `CONNECTION_UNAVAILABLE DATABASE_UNAVAILABLE UPSTREAM_UNREACHABLE UPSTREAM_EXITED SHUTTING_DOWN
      STORE_UNAVAILABLE BROKER_UNAVAILABLE`,
  5: `INVALID_OUTPUT NOT_RUN INPUT_UNSUPPORTED UNKNOWN_DATABASE UNKNOWN_API SQL_ERROR SQL_NOT_SINGLE SQL_BUSY
      SQL_CONFLICT CURSOR_NOT_FOUND ROW_NOT_FOUND OUTCOME_UNKNOWN QUALITY_REJECTED
      TOO_MANY_REDIRECTS RESPONSE_TOO_LARGE UPSTREAM_ERROR UPSTREAM_PROTOCOL STORE_VALUE_TOO_LARGE
      RESUME_LOST UNKNOWN_BROKER BROKER_ERROR QUEUE_UNSUPPORTED LEASE_LOST MESSAGE_TOO_LARGE CLOUD_ERROR CLOUD_BUSY
      MAIL_REFUSED MAIL_DEFERRED
      UPSTREAM_REFUSED UPSTREAM_FAILED`,
  6: `HOST_NOT_ALLOWED ORIGIN_NOT_ALLOWED SQL_READ_ONLY SQL_FORBIDDEN URL_NOT_ALLOWED HEADER_NOT_ALLOWED
      ADDRESS_NOT_ALLOWED QUEUE_NOT_ALLOWED CLOUD_NOT_ALLOWED RECIPIENT_NOT_ALLOWED`,
  7: 'DEADLINE_EXCEEDED UPSTREAM_TIMEOUT',
  8: 'RATE_LIMITED OVERLOADED TOO_MANY_STREAMS',
  130: 'CANCELLED',
}

it('ends with the promised number for every error code', () => {
  const expected = Object.entries(promised).flatMap(([exit, codes]) =>
    codes.split(/\s+/).map((code) => [code, Number(exit)] as const),
  )
  const actual = Object.keys(errorCatalogue).map((code) => [code, exitOf(code)] as const)
  expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected))
  expect(actual).toHaveLength(expected.length)
})

it('takes a code it does not know, of a newer Weir, for a failed tool', () => {
  expect([exitOf('NEWER_CODE'), exitOf('toString')]).toEqual([exits.toolError, exits.toolError])
})
