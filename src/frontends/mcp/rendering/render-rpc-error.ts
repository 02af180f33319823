import type { WeirError } from '../../../core/error.ts'
import { renderJsonRpcError } from '../../../wire/errors.ts'
import type { JsonRpcError } from '../../../wire/json-rpc.ts'
import type { Revision } from '../../../wire/model.ts'
import { readUrlElicitation } from '../questions/read-url-elicitation.ts'

/** What servers of the old era say to an unknown URI; the new one has no code of its own for it. */
const legacyNotFound = -32002
const invalidParams = -32602

/**
 * An error as a client of the era knows it. What failed is not always a tool here, whose failures are results: a
 * read's own code stays where clients decide by it.
 */
export function renderRpcError(error: WeirError, era: Revision['era']): JsonRpcError {
  const rendered = renderJsonRpcError(error)
  if (error.code === 'RESOURCE_NOT_FOUND' && era === 'legacy') return { ...rendered, code: legacyNotFound }
  if (error.code === 'INVALID_INPUT') return { ...rendered, code: invalidParams }
  if (error.code !== 'UPSTREAM_ERROR') return rendered
  if (error.data?.['code'] === invalidParams) return { ...rendered, code: invalidParams }
  const url = era === 'legacy' ? readUrlElicitation(error) : undefined
  return url === undefined
    ? rendered
    : { ...rendered, code: url.code, data: { ...url.data, ...(rendered.data as object) } }
}
