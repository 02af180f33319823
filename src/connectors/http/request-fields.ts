import { z } from 'zod'
import { methods } from './http-config.ts'

/** The most bytes of answers that one call of several requests takes: more would hold up every other call while it is written. */
export const answersBytesMax = 4 * 1024 * 1024

// D0-035's fields, which tools for one request and for several share.
export const methodField = z.enum(methods).describe('HTTP method.')
export const urlField = z
  .string()
  .max(8_192)
  .describe('A path below the API’s base URL, or a full URL that begins with it.')
export const apiNameField = z.string().describe('Which API: one of those this tool’s description names.')
export const headersField = z
  .record(z.string(), z.string())
  .default({})
  .describe('Extra headers. Credentials are added by Weir and cannot be set here.')
export const bodyField = z
  .unknown()
  .optional()
  .describe('Any JSON, sent as JSON; a string with a content-type other than JSON is sent as it is.')
export const timeoutField = z
  .number()
  .positive()
  .max(600)
  .optional()
  .describe('Seconds to wait for the whole answer, at most the API’s own limit, which is the default.')

/** Seconds, as callers give them, in milliseconds. */
export function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000
}
