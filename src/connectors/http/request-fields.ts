import { z } from 'zod'
import { methods } from './methods.ts'

/** The most bytes of answers that one call of several requests takes: more would hold up every other call while it is written. */
export const answersBytesMax = 4 * 1024 * 1024

/** A call of several requests answers this much before its deadline, so that what was done is told and not lost. */
export const answerMarginMs = 500

/** With less than this left, no further request is begun. */
export const requestMsMin = 50

/** D0-035: how. */
export const methodField = z.enum(methods).describe('HTTP method.')

/** D0-035: where; held to the API’s base URL (B-11). */
export const urlField = z
  .string()
  .max(8_192)
  .describe('A path below the API’s base URL, or a full URL that begins with it.')

/** D0-035: at which API; an unknown one is an error (C-25). */
export const apiNameField = z.string().describe('Which API: one of those this tool’s description names.')

/** D0-037: over the API’s own headers. */
export const headersField = z
  .record(z.string(), z.string())
  .default({})
  .describe('Extra headers. Credentials are added by Weir and cannot be set here.')

/** D0-035: what is sent. */
export const bodyField = z
  .unknown()
  .optional()
  .describe('Any JSON, sent as JSON; a string with a content-type other than JSON is sent as it is.')

/** D0-035: in seconds, as D0 has it. */
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
