import { parse as parseYaml } from 'yaml'
import { isObject, parseJson } from '../../../core/parse-json.ts'

/** Largest document, or file that it refers to. */
export const documentBytesMax = 32 * 1024 * 1024
const limits = { depthMax: 200, elementsMax: 4_000_000 }
/** YAML is read a hundred times slower than JSON, on the thread that answers calls. */
const yamlBytesMax = 8 * 1024 * 1024

/** A JSON object of a document. */
export type Node = Readonly<Record<string, unknown>>

/** Parses JSON or YAML. Throws an Error that says what is wrong with it, without quoting the text. */
export function parseText(text: string): Node {
  const value = /^\s*[{[]/.test(text) ? parseJsonText(text) : parseYamlText(text)
  if (!isObject(value)) throw new Error('it is no object')
  return value
}

function parseJsonText(text: string): unknown {
  try {
    return parseJson(text.replace(/^\ufeff/, ''), limits)
  } catch (cause) {
    throw new Error((cause as Error).message.replace('The body', 'it').replace(/\.$/, ''), { cause })
  }
}

function parseYamlText(text: string): unknown {
  if (text.length > yamlBytesMax)
    throw new Error(`it is YAML of more than ${yamlBytesMax} bytes; convert it to JSON`)
  let value: unknown
  try {
    // Anchors count against a limit of their own, so that none can stand for gigabytes.
    value = parseYaml(text, { maxAliasCount: 10_000, logLevel: 'silent', uniqueKeys: false, merge: true })
  } catch (thrown) {
    const { linePos } = thrown as {
      readonly linePos?: readonly { readonly line: number; readonly col: number }[]
    }
    const where = linePos?.[0] === undefined ? '' : ` (line ${linePos[0].line}, column ${linePos[0].col})`
    throw new Error(`it is neither JSON nor YAML${where}`, { cause: thrown })
  }
  // The same rules as for JSON, dates and other things that are not JSON included.
  return parseJsonText(writeJson(value))
}

/** Anchors make one text stand in many places: what they come to is added up before it is written out. */
function writeJson(value: unknown): string {
  let charsLeft = documentBytesMax
  const measure = (node: unknown, depth: number): void => {
    charsLeft -= typeof node === 'string' ? node.length : 4
    if (charsLeft < 0) throw new Error(`its anchors come to more than ${documentBytesMax} bytes`)
    if (typeof node !== 'object' || node === null) return
    if (depth > limits.depthMax) throw new Error(`it nests deeper than ${limits.depthMax} levels`)
    for (const [key, inner] of Object.entries(node)) {
      charsLeft -= key.length
      measure(inner, depth + 1)
    }
  }
  measure(value, 0)
  return JSON.stringify(value) ?? 'null'
}

/** Which rules the schemas of a document follow. */
export type Dialect = '3.0' | '3.1'

/** Throws an Error where the document is of another kind. */
export function readDialect(root: Node): Dialect {
  const { openapi, swagger } = root
  if (typeof openapi === 'string' && /^3\.0(\.|$)/.test(openapi)) return '3.0'
  if (typeof openapi === 'string' && /^3\.[12](\.|$)/.test(openapi)) return '3.1'
  const said = openapi ?? swagger
  if (said === undefined) throw new Error('it does not say `openapi: 3.…`')
  const shown = JSON.stringify(said)?.slice(0, 50)
  throw new Error(`it is of version ${shown}, and only OpenAPI 3.0 and 3.1 are read; convert it`)
}
