/**
 * What people do not see and models read: control characters (tab and line breaks aside), zero-width and bidi controls,
 * tags, variation selectors, fillers, halves of surrogate pairs.
 */
const hidden = /[[\p{Cc}--[\t\n\r]]\p{Default_Ignorable_Code_Point}\p{Cs}\u{fff9}-\u{fffb}]/v
const everyHidden = new RegExp(hidden, 'gv')

const [zeroWidthNonJoiner, zeroWidthJoiner, keycap] = ['\u200c', '\u200d', '\u20e3']
const letterOrMark = /^[\p{L}\p{M}]/u
/** Scripts that cannot be spelt without joiners between their letters. */
const joiningLetter =
  /^[\p{sc=Arabic}\p{sc=Syriac}\p{sc=Mongolian}\p{sc=Nko}\p{sc=Devanagari}\p{sc=Bengali}\p{sc=Gurmukhi}\p{sc=Gujarati}\p{sc=Oriya}\p{sc=Tamil}\p{sc=Telugu}\p{sc=Kannada}\p{sc=Malayalam}\p{sc=Sinhala}\p{sc=Khmer}\p{sc=Myanmar}]/u
const pictograph = /^\p{Extended_Pictographic}/u
const endOfPictograph = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)/u

/** Whether the text holds anything that `stripHidden` takes out. */
export function holdsHidden(text: string): boolean {
  return hidden.test(text) && stripHidden(text) !== text
}

/**
 * The text without what is hidden in it. A single joiner between two letters of a script that needs it stays, and so
 * does what makes one emoji of several: each needs something visible on both sides, so none can carry a text.
 */
export function stripHidden(text: string): string {
  return replaceHidden(text, () => '')
}

/** The text with everything hidden in it spelt out: `<U+200B>`. */
export function showHidden(text: string): string {
  return replaceHidden(text, (char) => `<${nameCodePoint(char)}>`)
}

/** What is hidden in a text, as `U+200B`, in its order, repetitions included. */
export function listHidden(text: string): readonly string[] {
  const found: string[] = []
  replaceHidden(text, (char) => {
    found.push(nameCodePoint(char))
    return ''
  })
  return found
}

function replaceHidden(text: string, replace: (char: string) => string): string {
  if (!hidden.test(text)) return text
  return text.replace(everyHidden, (char: string, at: number) =>
    belongs(char, text, at) ? char : replace(char),
  )
}

function belongs(char: string, text: string, at: number): boolean {
  const before = codePointBefore(text, at)
  const after = String.fromCodePoint(text.codePointAt(at + char.length) ?? 0)
  if (char === zeroWidthJoiner && endOfPictograph.test(before) && pictograph.test(after)) return true
  if (char === zeroWidthJoiner || char === zeroWidthNonJoiner)
    return letterOrMark.test(before) && joiningLetter.test(after)
  if (char !== '\ufe0e' && char !== '\ufe0f') return false
  return pictograph.test(before) || (/^[0-9#*]/.test(before) && after === keycap)
}

function codePointBefore(text: string, at: number): string {
  const last = text.charCodeAt(at - 1)
  return text.slice(last >= 0xdc00 && last <= 0xdfff ? Math.max(0, at - 2) : Math.max(0, at - 1), at)
}

function nameCodePoint(char: string): string {
  return `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}
