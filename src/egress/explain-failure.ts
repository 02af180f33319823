import { WeirError } from '../core/error.ts'

/** What was known of a request when it failed. */
export interface FailureContext {
  readonly origin: string
  /** Whether any byte of it may have left (R3). */
  readonly sent: boolean
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly connectTimeoutMs: number
}

/** Turns what undici, Node or DNS reported into the error a caller sees; the original goes along as the cause. */
export function explainFailure(thrown: Error, context: FailureContext): WeirError {
  if (thrown instanceof WeirError) return thrown
  const code = readCode(thrown)
  const { origin } = context
  // The server ends the handshake by these, and so before it could read a request that was already on its way.
  const sent = context.sent && !(code in clientCertificates)
  const fail = (weirCode: ConstructorParameters<typeof WeirError>[0], message: string, hint?: string) =>
    new WeirError(weirCode, message, {
      ...(hint === undefined ? {} : { hint }),
      cause: thrown,
      data: { origin, cause: code, sent },
    })
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return fail('UPSTREAM_TIMEOUT', `${origin} took no connection within ${context.connectTimeoutMs} ms.`)
    case 'UND_ERR_HEADERS_TIMEOUT':
      return fail(
        'UPSTREAM_TIMEOUT',
        `${origin} did not begin to answer within ${context.headersTimeoutMs} ms.`,
      )
    case 'UND_ERR_BODY_TIMEOUT':
      return fail('UPSTREAM_TIMEOUT', `${origin} paused for ${context.bodyTimeoutMs} ms in its answer.`)
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'HPE_HEADER_OVERFLOW':
      return fail('RESPONSE_TOO_LARGE', `The headers of the answer from ${origin} are larger than 16 KiB.`)
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
    case 'UND_ERR_NOT_SUPPORTED':
      return fail('HEADER_NOT_ALLOWED', `The request cannot be sent: ${thrown.message}.`)
    case 'REFUSED_STREAM':
      return new WeirError(
        'UPSTREAM_UNREACHABLE',
        `${origin} refused the request twice, without reading it.`,
        {
          hint: 'It may be about to stop, or allow fewer requests at once.',
          cause: thrown,
          data: { origin, cause: code, sent: false },
        },
      )
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return closed(origin, sent)
  }
  if (code.startsWith('HPE_') || malformed.has(code)) {
    return fail('UPSTREAM_ERROR', `What ${origin} sent is not HTTP (${code}).`)
  }
  if (code in clientCertificates)
    return fail('UPSTREAM_UNREACHABLE', `${origin} took no connection (${code}).`, clientCertificates[code])
  const message = sent
    ? `The connection to ${origin} broke before the answer was complete (${code}).`
    : `No connection to ${origin} could be made (${code}).`
  return fail('UPSTREAM_UNREACHABLE', message, hints[code])
}

/** Whether the failure is that of a connection, and not of one request. */
export function isBreak({ code }: WeirError | (Error & { code?: string })): boolean {
  return code === 'UPSTREAM_UNREACHABLE' || code === 'UPSTREAM_ERROR'
}

/** The error of a request that meets a closed client, or whose client closes under it. */
export function closed(origin: string, sent: boolean): WeirError {
  return new WeirError('CONNECTION_UNAVAILABLE', `The connection to ${origin} was closed by Weir.`, {
    data: { origin, sent },
  })
}

const malformed: ReadonlySet<string> = new Set([
  'HTTPParserError',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ERR_HTTP2_ERROR',
  'HTTP2_PROTOCOL_ERROR',
  'HTTP2_FRAME_SIZE_ERROR',
  'HTTP2_FLOW_CONTROL_ERROR',
  'HTTP2_COMPRESSION_ERROR',
])

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Check the port, and that the server runs.',
  ENOTFOUND: 'Check the host name.',
  EAI_AGAIN: 'The name server did not answer; check the network.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Configure the certificate authority of this server.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Configure the certificate authority of this server.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Configure the certificate authority of this server.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Configure the certificate authority of this server.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The server’s certificate is for another host name.',
  CERT_HAS_EXPIRED: 'The server’s certificate has expired.',
}

const certificateWanted = 'The server asks for a client certificate: configure `tls.cert` and `tls.key`.'
const certificateRefused = 'The server does not take this client certificate.'

/** What a server says of the client's certificate, before or without reading anything else. */
const clientCertificates: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: certificateWanted,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: certificateRefused,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: certificateRefused,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: certificateRefused,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'The client certificate has expired: renew it.',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'The client certificate was revoked: get another.',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: certificateRefused,
}

function readCode(thrown: Error): string {
  const { code } = thrown as NodeJS.ErrnoException
  return typeof code === 'string' ? code : thrown.name
}
