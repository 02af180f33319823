import { z } from 'zod'

const form = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/
const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const longestMs = 24 * unitMs.h

/** A length of time as the configuration writes it, in milliseconds; undefined where it is not one. */
export function parseDuration(text: string): number | undefined {
  const match = form.exec(text.trim())
  if (match === null) return undefined
  const unit = (match[2] ?? 'ms') as keyof typeof unitMs
  return Math.round(Number(match[1]) * unitMs[unit])
}

/** `30s`, `500ms`, `2m`, `1h`, or a number of milliseconds; from 1 ms to 24 hours. Gives milliseconds. */
export const durationSchema = z.union([z.number(), z.string()]).transform((value, context) => {
  const durationMs = typeof value === 'string' ? parseDuration(value) : value
  if (durationMs !== undefined && durationMs >= 1 && durationMs <= longestMs) return Math.round(durationMs)
  context.addIssue('expected a duration of 1ms to 24h, as in 500ms, 30s, 2m, or a number of milliseconds')
  return z.NEVER
})
