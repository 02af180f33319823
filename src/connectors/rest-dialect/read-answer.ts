import type { ContentBlock, Result } from '../../core/outcome.ts'
import { isObject, parseJson } from '../../core/parse-json.ts'
import { clip, protocolError, statusError } from './upstream-error.ts'

/** Deep enough for any honest result, and shallow enough for `JSON.stringify`, which recurses. */
const answerLimits = { depthMax: 256, elementsMax: 2_000_000 }
const errorCharsMax = 4_000

/** What was asked for, which the answer must be about. */
export interface Asked {
  readonly slug: string
  /** Whether the tool promised a shape for its answer. */
  readonly hasOutput: boolean
}

/**
 * An answer to `POST /mcp/execute` with one tool (D4-014) as that tool's result; what failed is a result with
 * `isError`. Throws a typed error for HTTP statuses from 400 on, and UPSTREAM_PROTOCOL for what is no answer.
 */
export function readAnswer(status: number, text: string, asked: Asked): Result {
  const body = parse(status, text)
  if (status >= 400) throw statusError(status, body)
  if (!isObject(body) || typeof body['successful'] !== 'boolean')
    throw protocolError('The server’s answer does not say whether it was `successful`.')
  const item = findItem(body['data'], asked)
  if (!body['successful'] || item?.['successful'] === false) return renderFailed(body, item, asked)
  if (item === undefined) throw protocolError('The server’s answer holds no result of the tool.')
  return renderResponse(item['response'], asked)
}

/** An error page need not be JSON. */
function parse(status: number, text: string): unknown {
  try {
    return parseJson(text, answerLimits)
  } catch (cause) {
    if (status >= 400) throw statusError(status, undefined)
    throw protocolError(`The server’s answer cannot be read: ${(cause as Error).message}`, cause)
  }
}

function findItem(data: unknown, { slug }: Asked): Record<string, unknown> | undefined {
  const results = isObject(data) ? data['results'] : undefined
  const item = Array.isArray(results) ? (results[0] as unknown) : undefined
  if (!isObject(item)) return undefined
  const named = item['tool_slug']
  if (named !== undefined && named !== slug) throw protocolError('The server answered for another tool.')
  return item
}

function renderFailed(
  body: Record<string, unknown>,
  item: Record<string, unknown> | undefined,
  { hasOutput }: Asked,
): Result {
  const said = item?.['error'] ?? body['error']
  const text = typeof said === 'string' ? clip(said, errorCharsMax) : 'The tool failed, and did not say why.'
  const response = item?.['response']
  const detail = item?.['error_detail'] ?? body['error_detail']
  return {
    content: readContent(response) ?? [{ type: 'text', text }],
    // Clients hold an error, too, to what the tool promised.
    ...(hasOutput || !isObject(response) || readContent(response) !== undefined
      ? {}
      : { structuredContent: response }),
    isError: true,
    ...(isObject(detail) ? { _meta: { 'weir/error': detail } } : {}),
  }
}

/** Data is data. A text, or content as another Weir writes it, is what a model reads. */
function renderResponse(response: unknown, { hasOutput }: Asked): Result {
  if (hasOutput) return { structuredContent: response ?? null }
  if (response === undefined || response === null) return { content: [] }
  if (typeof response === 'string') return { content: [{ type: 'text', text: response }] }
  const content = readContent(response)
  return content === undefined ? { structuredContent: response } : { content }
}

/** The blocks of a response that is `{ content: […] }` and nothing else. */
function readContent(response: unknown): readonly ContentBlock[] | undefined {
  if (!isObject(response) || Object.keys(response).length !== 1) return undefined
  const { content } = response
  const isContent = Array.isArray(content) && content.every(isBlock)
  return isContent ? content : undefined
}

function isBlock(value: unknown): value is ContentBlock {
  return isObject(value) && typeof value['type'] === 'string'
}
