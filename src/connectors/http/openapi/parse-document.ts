import { isObject, parseJson } from '../../../core/parse-json.ts'
import { documentDepthMax } from './convert-yaml.ts'
import { parseYaml } from './parse-yaml.ts'

/** Largest document, or file that it refers to. */
export const documentBytesMax = 32 * 1024 * 1024
const limits = { depthMax: documentDepthMax, elementsMax: 4_000_000 }

/** A JSON object of a document. */
export type Node = Readonly<Record<string, unknown>>

/** Parses JSON or YAML. Rejects with an Error that says what is wrong with it, without quoting the text. */
export async function parseText(text: string, signal: AbortSignal): Promise<Node> {
  // The same rules for both, dates and other things that are not JSON included.
  const json = /^\s*[{[]/.test(text) ? text : await parseYaml(text, signal)
  const value = parseJsonText(json)
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
