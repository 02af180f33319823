import { renderError, type WeirError } from '../core/error.ts'
import type { JsonRpcError } from './json-rpc.ts'

/** A misuse of the protocol as JSON-RPC says it. A failed tool is a result instead: `-32603` stands for what has no other place. */
export function renderJsonRpcError(error: WeirError): JsonRpcError {
  const { mcp } = error.spec
  const { code, hint, data, retryable } = renderError(error)
  return {
    code: mcp === 'isError' ? -32603 : mcp,
    message: error.message,
    // Members of the protocol's own (`supported`, `requiredCapabilities`) stand where clients look for them.
    data: { ...data, weirCode: code, retryable, ...(hint === undefined ? {} : { hint }) },
  }
}
