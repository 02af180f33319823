import { type ErrorCode, WeirError } from '../../core/error.ts'
import type { Result } from '../../core/outcome.ts'
import { isObject } from '../../core/parse-json.ts'

/** An answer as it is kept: plain JSON, so that nothing that somebody does to theirs shows in another's. */
export type CachedAnswer = { readonly result: Result } | { readonly missing: MissingError }

/** “Not found”, as it was said. */
interface MissingError {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly data?: Readonly<Record<string, unknown>>
}

/** The errors that say that something is not there, which is an answer like any other. */
const missingCodes: ReadonlySet<string> = new Set(['ROW_NOT_FOUND', 'RESOURCE_NOT_FOUND', 'PROMPT_NOT_FOUND'])

/** The largest answer that is kept. */
const answerBytesMax = 256 * 1024

/** Fields that make an answer good for one use: the page after it. */
const cursorFields = ['next_cursor', 'nextCursor', 'cursor']

/** Whether the answer is one that may be given again: whole, good, and nobody’s alone where all share it. */
export function isKeepable(result: Result, isPublic: boolean): boolean {
  if (result.isError === true || result['degraded'] === true) return false
  if (isPublic && result['cacheScope'] === 'private') return false
  if (result._meta?.['weir/degraded'] !== undefined) return false
  const { structuredContent } = result
  if (!isObject(structuredContent)) return true
  if (structuredContent['degraded'] === true) return false
  return cursorFields.every((field) => (structuredContent[field] ?? null) === null)
}

/** What was thrown, if it says that something is not there. */
export function readMissing(thrown: unknown): CachedAnswer | undefined {
  if (!(thrown instanceof WeirError) || !missingCodes.has(thrown.code)) return undefined
  const { code, message, hint, data } = thrown
  return {
    missing: {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(data === undefined ? {} : { data }),
    },
  }
}

/** The error again. */
export function restoreMissing({ code, message, hint, data }: MissingError): WeirError {
  return new WeirError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(data === undefined ? {} : { data }),
  })
}

/** As JSON text; undefined where it is too large, or is none. */
export function packAnswer(answer: CachedAnswer): string | undefined {
  try {
    const text = JSON.stringify(answer)
    return text.length <= answerBytesMax && Buffer.byteLength(text) <= answerBytesMax ? text : undefined
  } catch {
    return undefined
  }
}

/** Of text that somebody else may have written: undefined where it is not one of ours. */
export function unpackAnswer(text: string): CachedAnswer | undefined {
  if (text.length > answerBytesMax) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { result, missing } = value
  if (isObject(result)) return { result }
  if (!isObject(missing)) return undefined
  const { code, message, hint, data } = missing
  if (typeof code !== 'string' || !missingCodes.has(code) || typeof message !== 'string') return undefined
  return {
    missing: {
      ...{ code: code as ErrorCode, message },
      ...(typeof hint === 'string' ? { hint } : {}),
      ...(isObject(data) ? { data } : {}),
    },
  }
}
