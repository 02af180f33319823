/** What a JSON Pointer (RFC 6901) points to in a parsed document; undefined where there is nothing. */
export function readPointer(document: unknown, pointer: string): unknown {
  if (pointer === '') return document
  let value = document
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value
}

/** What a JSON Pointer looks like. */
export const pointerForm = /^(\/([^~/]|~[01])*)*$/
