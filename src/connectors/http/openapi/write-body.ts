import { randomUUID } from 'node:crypto'
import { isObject } from '../../../core/parse-json.ts'
import type { RequestBody } from './read-body.ts'
import type { ParameterStyle } from './read-parameters.ts'
import { writeQuery, writeScalar } from './write-parameter.ts'

/** What is sent: any JSON, or a text of another media type. */
export interface WrittenBody {
  readonly body: unknown
  readonly mediaType: string
}

const plain: ParameterStyle = { style: 'form', explode: true, allowReserved: false, isJson: false }
/** OpenAPI has a nested object as JSON, unless the document says otherwise. */
const nested: ParameterStyle = { ...plain, isJson: true }

/** A call's body in the form the operation takes. */
export function writeBody({ form, mediaType, styles }: RequestBody, value: unknown): WrittenBody {
  if (form === 'json') return { body: value, mediaType }
  if (form === 'text') return { body: writeScalar(value), mediaType }
  const fields = Object.entries(isObject(value) ? value : {}).filter(([, item]) => item !== null)
  if (form === 'multipart') return writeMultipart(fields)
  const written = fields.map(([name, item]) => writeQuery(name, item, styles.get(name) ?? styleOf(item)))
  return { body: written.filter((text) => text !== '').join('&'), mediaType }
}

function styleOf(value: unknown): ParameterStyle {
  const isNested = isObject(value) || (Array.isArray(value) && value.some((item) => typeof item === 'object'))
  return isNested ? nested : plain
}

function writeMultipart(fields: readonly (readonly [string, unknown])[]): WrittenBody {
  const boundary = `weir-${randomUUID()}`
  const parts = fields.flatMap(([name, item]) => {
    const isList = Array.isArray(item) && item.every((one) => typeof one !== 'object')
    return (isList ? item : [item]).map((one) => writePart(name, one))
  })
  const text = parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')
  return { body: `${text}--${boundary}--\r\n`, mediaType: `multipart/form-data; boundary=${boundary}` }
}

function writePart(name: string, value: unknown): string {
  const type = typeof value === 'object' ? 'Content-Type: application/json\r\n' : ''
  return `Content-Disposition: form-data; name="${quote(name)}"\r\n${type}\r\n${writeScalar(value)}`
}

/** As browsers do it, so that no name ends its line. */
function quote(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
