/** The text, or its beginning and `…` where it is longer. Never half of a character. */
export function cutText(text: string, charsMax: number): string {
  return text.length <= charsMax
    ? text
    : `${text
        .slice(0, charsMax - 1)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`
}
