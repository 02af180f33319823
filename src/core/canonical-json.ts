import { isObject } from './parse-json.ts'

/** The same text for equal JSON values, whatever the order of their keys. `replace` may put a text in the place of a value. */
export function canonicalJson(value: unknown, replace?: (key: string) => string | undefined): string {
  if (Array.isArray(value)) return `[${value.map((inner) => canonicalJson(inner, replace)).join()}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const keys = Object.keys(value).filter((key) => value[key] !== undefined)
  const fields = keys.sort().map((key) => {
    const replaced = replace?.(key)
    return `${JSON.stringify(key)}:${replaced === undefined ? canonicalJson(value[key], replace) : JSON.stringify(replaced)}`
  })
  return `{${fields.join()}}`
}
