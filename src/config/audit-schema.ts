import { z } from 'zod'

const unitMs = { h: 3_600_000, d: 24 * 3_600_000 }
const daysMax = 3_650

/** `90d` or `36h`: days and hours, up to ten years. Gives milliseconds. */
const ageSchema = z.string().transform((text, context) => {
  const [, number, unit] = /^(\d{1,6})(h|d)$/.exec(text.trim()) ?? []
  const ageMs = Number(number) * unitMs[(unit ?? 'd') as keyof typeof unitMs]
  if (ageMs > 0 && ageMs <= daysMax * unitMs.d) return ageMs
  context.addIssue('expected an age of 1h to 3650d, as in 90d or 36h')
  return z.NEVER
})

/** What is kept of who did what. */
export const auditSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Whether Weir keeps, in its store, who called which tool when, with which arguments and outcome. While it cannot be written, tools that change something are refused.',
    ),
  reads: z
    .boolean()
    .default(true)
    .describe('Whether calls that only read are kept too. Refused calls are, either way.'),
  keep: ageSchema
    .prefault('90d')
    .describe('How long records are kept at least, in days or hours: `90d`, `36h`. Older ones are removed.'),
  rowsMax: z
    .int()
    .min(1_000)
    .max(1_000_000)
    .default(1_000_000)
    .describe(
      'How many records are kept at most; the oldest go first, also before their time. A store that keeps nothing holds 10,000.',
    ),
})
