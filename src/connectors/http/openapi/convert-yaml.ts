import { parse } from 'yaml'

/** How deep a document may nest. */
export const documentDepthMax = 200
/** What its anchors may come to, written out. */
const charsMax = 32 * 1024 * 1024

/** YAML as JSON text. Throws an Error that says what is wrong with it, and where. */
export function convertYaml(text: string): string {
  return writeJson(parseValue(text))
}

function parseValue(text: string): unknown {
  try {
    // Anchors count against a limit of their own below, so that none can stand for gigabytes.
    return parse(text, { maxAliasCount: 10_000, logLevel: 'error', uniqueKeys: false, merge: true })
  } catch (cause) {
    const { linePos } = cause as {
      readonly linePos?: readonly { readonly line: number; readonly col: number }[]
    }
    const where = linePos?.[0] === undefined ? '' : ` (line ${linePos[0].line}, column ${linePos[0].col})`
    throw new Error(`it is neither JSON nor YAML${where}`, { cause })
  }
}

/** Anchors make one text stand in many places: what they come to is added up before it is written out. */
function writeJson(value: unknown): string {
  let charsLeft = charsMax
  const measure = (node: unknown, depth: number): void => {
    charsLeft -= typeof node === 'string' ? node.length : 4
    if (charsLeft < 0) throw new Error(`its anchors come to more than ${charsMax} bytes`)
    if (typeof node !== 'object' || node === null) return
    if (depth > documentDepthMax) throw new Error(`it nests deeper than ${documentDepthMax} levels`)
    for (const [key, inner] of Object.entries(node)) {
      charsLeft -= key.length
      measure(inner, depth + 1)
    }
  }
  measure(value, 0)
  return JSON.stringify(value) ?? 'null'
}
