/** Who can do something about an error. */
export type Audience = 'caller' | 'upstream' | 'operator'

/** Everything that is the same for all errors of one code. */
export interface ErrorSpec {
  readonly audience: Audience
  /** HTTP status in the REST dialect, and on `/mcp` where the error is a JSON-RPC one. */
  readonly http: number
  /**
   * How MCP shows it: a JSON-RPC error code for misuse of the protocol, or `'isError'` for a failed
   * tool, which is a result, so that the model can react to it (B-06).
   */
  readonly mcp: number | 'isError'
  /** Whether the same request may succeed later, unchanged. */
  readonly retryable: boolean
  /** What it means, one sentence; the text of docs/errors.md. */
  readonly meaning: string
}

const misuse = (http: number, mcp: number, meaning: string): ErrorSpec => ({
  audience: 'caller',
  http,
  mcp,
  retryable: false,
  meaning,
})
const refused = (meaning: string): ErrorSpec => ({
  audience: 'operator',
  http: 503,
  mcp: -32603,
  retryable: true,
  meaning,
})
const callers = (http: number, meaning: string): ErrorSpec => ({
  audience: 'caller',
  http,
  mcp: 'isError',
  retryable: false,
  meaning,
})
const upstreams = (http: number, retryable: boolean, meaning: string): ErrorSpec => ({
  audience: 'upstream',
  http,
  mcp: 'isError',
  retryable,
  meaning,
})
const operators = (http: number, retryable: boolean, meaning: string): ErrorSpec => ({
  audience: 'operator',
  http,
  mcp: 'isError',
  retryable,
  meaning,
})

/** Every code Weir can answer with. `docs/errors.md` and the wire are held equal to it by a test. */
export const errorCatalogue = {
  // The request never reached a tool.
  PARSE_ERROR: misuse(400, -32700, 'The body is not JSON.'),
  INVALID_REQUEST: misuse(400, -32600, 'The body is JSON, but not a request of this protocol.'),
  METHOD_NOT_FOUND: misuse(404, -32601, 'This protocol revision has no such method.'),
  INVALID_PARAMS: misuse(400, -32602, 'A parameter of the method is missing or malformed.'),
  TOOL_NOT_FOUND: misuse(404, -32602, 'No tool has this name here.'),
  TOOL_AMBIGUOUS: misuse(400, -32602, 'Several connections have a tool of this name.'),
  RESOURCE_NOT_FOUND: misuse(
    404,
    -32602,
    'No resource has this URI here. Clients of revision 2025-11-25 and older get -32002.',
  ),
  PROMPT_NOT_FOUND: misuse(404, -32602, 'No prompt has this name here.'),
  HEADER_MISMATCH: misuse(400, -32020, 'An HTTP header contradicts the body, or a required one is missing.'),
  MISSING_CAPABILITY: misuse(400, -32021, 'The tool needs something the client did not say it can do.'),
  UNSUPPORTED_VERSION: misuse(400, -32022, 'Weir does not speak this protocol revision.'),
  SESSION_NOT_FOUND: misuse(404, -32600, 'The session id is unknown, expired, ended or not yours.'),
  BODY_TOO_LARGE: misuse(413, -32600, 'The body is larger than Weir reads.'),
  BODY_TOO_COMPLEX: misuse(400, -32600, 'The body nests too deep or holds too many elements.'),
  BATCH_TOO_LARGE: misuse(400, -32600, 'The batch holds too many messages.'),
  FORBIDDEN_KEY: misuse(400, -32600, 'The body uses a key that programs mistake for an object’s prototype.'),
  UNSUPPORTED_MEDIA_TYPE: misuse(
    415,
    -32600,
    'The body is of a type or encoding that this route does not read.',
  ),
  NOT_ACCEPTABLE: misuse(406, -32600, 'The Accept header excludes every type this route can answer with.'),
  METHOD_NOT_ALLOWED: misuse(405, -32600, 'The route exists, but not for this HTTP method.'),
  ROUTE_NOT_FOUND: misuse(404, -32600, 'No route has this path.'),
  HOST_NOT_ALLOWED: misuse(403, -32600, 'The Host header names a host this listener does not serve.'),
  ORIGIN_NOT_ALLOWED: misuse(403, -32600, 'The request comes from a web page that may not call Weir.'),
  OPERATOR_ONLY: misuse(403, -32600, 'Only somebody else who operates Weir may do this.'),
  APPROVAL_NOT_FOUND: misuse(404, -32600, 'No approval has this id.'),
  APPROVAL_CLOSED: misuse(409, -32600, 'The approval was decided before, or has expired.'),
  TOO_MANY_STREAMS: refused(
    'Too many event streams are open; each is an open response that waits for events.',
  ),
  UNAUTHENTICATED: misuse(401, -32600, 'No credential came with the request, or none that holds (B-126).'),
  IDENTITY_UNAVAILABLE: refused(
    'Who asks cannot be found out for now: the keys of an issuer, or Weir’s own, cannot be read. Nobody is let in.',
  ),
  SHUTTING_DOWN: refused('Weir is stopping and takes no new calls.'),

  // The tool was found, and the call failed.
  PERMISSION_DENIED: callers(403, 'The caller is known, and may not use this (D4-021, B-125).'),
  INVALID_INPUT: callers(400, 'The arguments do not match the tool’s input schema.'),
  CANCELLED: callers(499, 'The caller left or cancelled before the call ended.'),
  DEADLINE_EXCEEDED: upstreams(504, true, 'The call did not end within its time.'),
  INVALID_OUTPUT: upstreams(502, false, 'The tool’s answer does not match its own output schema.'),
  NOT_RUN: callers(424, 'An earlier item of the same request failed, so this one was not run.'),
  INPUT_UNSUPPORTED: callers(400, 'The tool asks its user a question, and this client cannot carry it.'),
  RESUME_LOST: callers(410, 'The call that asked a question is over, so its answer has nowhere to go.'),
  OUTCOME_UNKNOWN: upstreams(
    504,
    false,
    'What was asked for may or may not have happened: no answer came after it was sent (R2).',
  ),
  CONFIRMATION_DENIED: callers(403, 'Whoever had to approve the call said no, or nobody did in time (S14).'),
  IDEMPOTENCY_MISMATCH: callers(
    422,
    'The idempotency key was used for another tool or other arguments (R2).',
  ),
  IDEMPOTENCY_IN_FLIGHT: {
    ...callers(409, 'A call under the same idempotency key has not ended yet (R2).'),
    retryable: true,
  },
  RESULT_NOT_KEPT: callers(
    410,
    'The call under this idempotency key was done, and its answer was too large to be kept (R2).',
  ),
  QUALITY_REJECTED: upstreams(
    502,
    false,
    'The answer does not have the form that was expected of it (B-38).',
  ),
  RATE_LIMITED: {
    ...callers(429, 'The limit on how often this may be called is used up (C-14).'),
    retryable: true,
  },
  OVERLOADED: operators(503, true, 'A bounded queue is full.'),
  INTERNAL: operators(500, false, 'Weir itself failed; the log holds the cause.'),
  CONNECTION_UNAVAILABLE: upstreams(503, true, 'The connection is not up.'),
  CIRCUIT_OPEN: upstreams(
    503,
    true,
    'The tool failed too often in a row and is left alone for a while (B-29).',
  ),

  // What outlives the process.
  STORE_UNAVAILABLE: operators(
    503,
    true,
    'The store could not be read, or a change not made durable, in time.',
  ),
  AUDIT_UNAVAILABLE: operators(
    503,
    true,
    'The tool changes something and was not run, because the audit could not be written.',
  ),
  STORE_UNUSABLE: operators(
    500,
    false,
    'The store’s file, folder or key is not what this Weir can use; an operator has to mend it.',
  ),
  STORE_VALUE_TOO_LARGE: operators(500, false, 'A value is larger than the store keeps.'),

  // SQL.
  UNKNOWN_DATABASE: callers(404, 'The connection has no database of this name (B-05, C-25).'),
  DATABASE_UNAVAILABLE: upstreams(503, true, 'The database could not be opened.'),
  SQL_ERROR: callers(400, 'The database refused the statement.'),
  SQL_READ_ONLY: callers(403, 'The statement would write, and the database is open for reading only.'),
  SQL_NOT_SINGLE: callers(400, 'The text holds more than one statement, or none.'),
  SQL_FORBIDDEN: callers(403, 'The statement would reach outside its database.'),
  ROW_NOT_FOUND: callers(404, 'No row fits what was asked for (B-70).'),
  SQL_CONFLICT: upstreams(
    503,
    true,
    'The transaction collided with another one, and changed nothing (B-34).',
  ),
  CURSOR_NOT_FOUND: callers(404, 'The cursor is unknown, read to its end, expired or not yours.'),
  SQL_BUSY: upstreams(503, true, 'The database stayed locked by another writer.'),

  // Outbound HTTP.
  UNKNOWN_API: callers(404, 'The connection has no API of this name (C-25).'),
  URL_NOT_ALLOWED: callers(
    403,
    'The URL lies outside the API that was named, whose credential it would get (B-11).',
  ),
  OPENAPI_INVALID: operators(
    502,
    false,
    'The OpenAPI document of an API cannot be read, or not be used as it is configured.',
  ),
  HEADER_NOT_ALLOWED: callers(400, 'A header of the call is set by Weir alone (B-12).'),
  ADDRESS_NOT_ALLOWED: callers(403, 'The host resolves to an address that this connection may not reach.'),
  TOO_MANY_REDIRECTS: upstreams(502, false, 'The answer redirects too often, or to another origin.'),
  RESPONSE_TOO_LARGE: upstreams(502, false, 'The answer is larger than Weir takes.'),
  UPSTREAM_UNREACHABLE: upstreams(502, true, 'No connection to the host could be made, or it broke.'),
  UPSTREAM_TIMEOUT: upstreams(504, true, 'The host did not answer in time.'),
  UPSTREAM_REFUSED: upstreams(502, false, 'The API answered with a status that says no (3xx or 4xx).'),
  UPSTREAM_FAILED: upstreams(502, true, 'The API answered that it cannot at the moment (5xx or 429).'),

  // Queues.
  UNKNOWN_BROKER: callers(404, 'The connection has no broker of this name (B-23, C-25).'),
  BROKER_UNAVAILABLE: upstreams(503, true, 'The broker is down, or the connection to it broke.'),
  BROKER_ERROR: upstreams(502, false, 'The broker refused the request.'),
  QUEUE_UNSUPPORTED: callers(400, 'This kind of broker cannot do what was asked.'),
  QUEUE_NOT_ALLOWED: callers(403, 'The configuration does not allow this queue or topic, or this use of it.'),
  LEASE_LOST: callers(410, 'The lease on the message ended, or was never the caller’s (S5).'),
  MESSAGE_TOO_LARGE: callers(413, 'The message is larger than the broker’s `messageBytesMax`.'),

  // Mail.
  RECIPIENT_NOT_ALLOWED: callers(403, 'A recipient is of a domain that this connection sends no mail to.'),
  MAIL_REFUSED: upstreams(502, false, 'The mail server refused the message, or all of its recipients.'),
  MAIL_DEFERRED: upstreams(503, true, 'The mail server refused the message for now; nobody got it.'),

  // Upstream MCP servers.
  UPSTREAM_EXITED: upstreams(502, true, 'The server’s process ended while the call was running (R4).'),
  UPSTREAM_ERROR: upstreams(502, false, 'The server answered with a protocol error.'),
  UPSTREAM_PROTOCOL: upstreams(
    502,
    false,
    'What the server sent is not MCP, or is larger than Weir takes (R22).',
  ),
  UPSTREAM_AUTH: operators(502, false, 'The server asks for a credential that Weir does not have.'),

  // Cloud services.
  CLOUD_ERROR: callers(400, 'The cloud service refused the request (D0-060).'),
  CLOUD_BUSY: upstreams(503, true, 'The cloud service throttles the caller, or failed by itself.'),
  CLOUD_NOT_ALLOWED: callers(
    403,
    'The connection does not offer what was named: a region, bucket, container, table, queue, function, topic or secret (C-25).',
  ),

  // Starting and configuring.
  CONFIG_INVALID: operators(500, false, 'The configuration is not valid.'),
  CONFIG_NOT_FOUND: operators(500, false, 'The configuration file does not exist or cannot be read.'),
  PORT_TAKEN: operators(500, true, 'Another process listens on the port.'),
  BIND_REFUSED: operators(500, false, 'Without authentication Weir serves loopback only.'),
} as const satisfies Record<string, ErrorSpec>

export type ErrorCode = keyof typeof errorCatalogue
