/** A decimal of at most 15 digits is a number, which then says the same; a longer one its digits as a string (B-41). */
export function parseDecimal(text: string): number | string {
  const digits = text.length <= 15 ? text : text.replace(/^-?0*\.?0*|\./g, '')
  const number = digits.length <= 15 ? Number(text) : Number.NaN
  return Number.isFinite(number) ? number : text
}

/** JSON itself. Integers in it that a number cannot hold become strings, as they do outside of it. */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return (JSON.parse as ParseWithSource)(text, (_key, value, context) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    return Number.isInteger(value) && /^-?\d+$/.test(context.source ?? '') ? context.source : value
  })
}

type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown
