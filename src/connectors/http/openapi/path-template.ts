import type { PlannedParameter } from './plan-operation.ts'

/** A text of the path as it is sent, or the parameter whose value stands there. */
export type PathPart = string | PlannedParameter

/** A path in its parts, and what it brings of a query. */
export interface ParsedPath {
  readonly path: readonly PathPart[]
  readonly query: string
}

/** Throws an Error where the path is no path, or has a place for which there is no parameter. */
export function parsePath(template: string, parameters: readonly PlannedParameter[]): ParsedPath {
  if (template.includes('#')) throw new Error('its path holds a fragment')
  const [path = '', query = ''] = splitAt(template, '?')
  if (query.includes('{')) throw new Error('its path holds a query with parameters')
  const places = path.replace(/^\/*/, '/').split(/\{([^{}]*)\}/)
  const found = places.map((text, at): PathPart => {
    if (at % 2 === 0) return encodeLiteral(text)
    const parameter = parameters.find(({ location, name }) => location === 'path' && name === text)
    if (parameter === undefined)
      throw new Error(`its path names {${text.slice(0, 100)}}, which is no parameter`)
    return parameter
  })
  const used = new Set(found)
  const unused = parameters.find((parameter) => parameter.location === 'path' && !used.has(parameter))
  if (unused !== undefined) throw new Error(`its path has no place for {${unused.name.slice(0, 100)}}`)
  return { path: found.filter((part) => part !== ''), query: encodeLiteral(query) }
}

function splitAt(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** Encodes what may not stand in a URL, and leaves what is encoded already. */
function encodeLiteral(text: string): string {
  return encodeURI(text.toWellFormed())
    .replace(/%25([0-9A-F]{2})/gi, '%$1')
    .replace(/[[\]]/g, encodeURIComponent)
}
