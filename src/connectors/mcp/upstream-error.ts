import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import type { JsonRpcError } from '../../wire/json-rpc.ts'

const messageCharsMax = 4_000
const dataCharsMax = 64 * 1024

/** Codes that only a server of the modern era sends. */
export const modernErrorCodes = {
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
}
/** What both eras say to a method they do not have. */
export const methodNotFound = -32601
/** What both eras say to parameters that are of no use. */
export const invalidParams = -32602

/** A JSON-RPC error of an upstream as ours. Its words are the server's own, cut where they are too many. */
export function parseUpstreamError({ code, message, data }: JsonRpcError): WeirError {
  if (code === modernErrorCodes.missingCapability) {
    const required = isObject(data) ? data['requiredCapabilities'] : undefined
    return new WeirError('MISSING_CAPABILITY', clip(message), {
      hint: 'Use a client that declares the capability.',
      ...(isBounded(required) ? { data: { requiredCapabilities: required } } : {}),
    })
  }
  return new WeirError('UPSTREAM_ERROR', clip(message), {
    hint: 'The message is the upstream server’s own; what to change is in its words.',
    data: { code, message: clip(message), ...(isBounded(data) ? { data } : {}) },
  })
}

/** The JSON-RPC code behind an UPSTREAM_ERROR; undefined where it was none. */
export function upstreamCode(error: unknown): unknown {
  return error instanceof WeirError ? error.data?.['code'] : undefined
}

/** What an HTTP status without a JSON-RPC error stands for. */
export function statusError(status: number): WeirError {
  const message = `The MCP server answered with HTTP status ${status}.`
  const data = { status, sent: true }
  if (status === 401 || status === 403) {
    return new WeirError('UPSTREAM_AUTH', message, {
      hint: 'Check the credential that this server gets: what stands under `headers`, or what `weir auth` obtained.',
      data,
    })
  }
  // These three mean, by definition, that no server stood behind the one that answered.
  if (status >= 502 && status <= 504) return new WeirError('UPSTREAM_UNREACHABLE', message, { data })
  return new WeirError('UPSTREAM_ERROR', message, { hint: 'Check that `url` is an MCP endpoint.', data })
}

/** The server refuses whatever credential it is shown. It has not run the request. */
export function credentialRefused(status: number): WeirError {
  const message = `The MCP server answered with HTTP status ${status}, also to tokens that were new.`
  return new WeirError('UPSTREAM_AUTH', message, {
    hint: 'Check that its authorization server issues tokens for this very server, and with the scopes it wants.',
    data: { status, sent: false },
  })
}

/** The server has forgotten the session, and so has not run the request. */
export function sessionLost(status: number): WeirError {
  return new WeirError(
    'UPSTREAM_ERROR',
    'The MCP server ended its session, and again right after a new one.',
    {
      data: { status, sessionLost: true, sent: false },
    },
  )
}

/** Whether the request was refused for the session alone. */
export function isSessionLost(error: unknown): boolean {
  return error instanceof WeirError && error.data?.['sessionLost'] === true
}

/** The server said what no server may say. */
export function protocolError(message: string): WeirError {
  return new WeirError('UPSTREAM_PROTOCOL', message, {
    hint: 'Report this to whoever runs the upstream server.',
  })
}

/** What the server lists cannot be served. */
export function unusable(why: string): WeirError {
  return new WeirError('UPSTREAM_PROTOCOL', `It is not usable: ${why}.`)
}

function clip(text: string): string {
  return text.length <= messageCharsMax ? text : `${text.slice(0, messageCharsMax)}…`
}

function isBounded(data: unknown): boolean {
  return data !== undefined && JSON.stringify(data).length <= dataCharsMax
}
