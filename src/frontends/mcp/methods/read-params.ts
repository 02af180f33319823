import { WeirError } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'

/** A parameter that must be a text. Throws INVALID_PARAMS. */
export function readText(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new WeirError('INVALID_PARAMS', `"${name}" must be a string.`, {
    hint: 'Compare the request with the method’s specification.',
  })
}

/** A parameter that must be an object of texts; none where it is left out. Throws INVALID_PARAMS. */
export function readTexts(name: string, value: unknown = {}): Readonly<Record<string, string>> {
  if (isObject(value) && Object.values(value).every((one) => typeof one === 'string'))
    return value as Record<string, string>
  throw new WeirError('INVALID_PARAMS', `"${name}" must be an object whose values are strings.`, {
    hint: 'Leave it out for none.',
  })
}
