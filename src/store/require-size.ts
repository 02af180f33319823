import { WeirError } from '../core/error.ts'

const kibibyte = 1024

/** The most bytes that one value of each kind may have, as UTF-8. */
export const bytesMax = {
  /** Everything that names a row, together: databases keep these in indexes. */
  key: 8 * kibibyte,
  definition: 1024 * kibibyte,
  credential: 64 * kibibyte,
  /** What a person sees of a call's arguments. */
  arguments: 64 * kibibyte,
  /** As much as an upstream's whole answer may be (R22). */
  targets: 16 * 1024 * kibibyte,
} as const

/** Throws STORE_VALUE_TOO_LARGE; the values themselves are never in the error. */
export function requireSize(what: string, limit: number, values: readonly string[]): void {
  const bytes = values.reduce((sum, value) => sum + Buffer.byteLength(value), 0)
  if (bytes <= limit) return
  throw new WeirError(
    'STORE_VALUE_TOO_LARGE',
    `${what} has ${bytes} bytes; the store keeps up to ${limit}.`,
    {
      hint: 'Shorten it where it comes from; nothing was written.',
      data: { bytes, bytesMax: limit },
    },
  )
}
