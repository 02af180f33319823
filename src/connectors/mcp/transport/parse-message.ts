import { WeirError } from '../../../core/error.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { type JsonRpcMessage, readMessage } from '../../../wire/json-rpc.ts'

/** Largest answer of a server (R22). */
export const answerBytesMax = 16 * 1024 * 1024

/** Deep enough for any honest result, and shallow enough for `JSON.stringify`, which recurses. */
const answerLimits = { depthMax: 256, elementsMax: 2_000_000 }

/** Reads one message of an upstream server, within limits. Throws UPSTREAM_PROTOCOL. */
export function parseMessage(text: string): JsonRpcMessage {
  try {
    return readMessage(parseJson(text, answerLimits))
  } catch (cause) {
    const what = cause instanceof WeirError ? ` ${cause.message}` : ''
    throw new WeirError('UPSTREAM_PROTOCOL', `The server sent what is not a message of MCP.${what}`, {
      hint: 'Check that the upstream is an MCP server and prints nothing else to its output.',
      cause,
    })
  }
}
