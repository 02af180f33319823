import { z } from 'zod'
import { decodeBase64 } from '../shared/cloud/decode-base64.ts'
import { bytesField } from './tool-fields.ts'

/** Attributes beside a message's body, in SQS and SNS; AWS takes ten. */
export const messageAttributesField = z
  .record(z.string().regex(/^[\w.-]{1,256}$/), z.union([z.string().min(1), z.number(), bytesField]))
  .refine((attributes) => Object.keys(attributes).length <= 10, 'at most ten attributes')
  .describe('Attributes beside the body, at most ten: text, numbers, or bytes as {"$bytes": base64}.')

/** What `messageAttributesField` parses to. */
export type MessageAttributes = z.output<typeof messageAttributesField>

interface Attribute {
  readonly DataType?: string | undefined
  readonly StringValue?: string | undefined
  readonly BinaryValue?: Uint8Array | undefined
}

/** As the SDK takes them. */
export function toMessageAttributes(attributes: MessageAttributes) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, toAttribute(name, value)]),
  )
}

function toAttribute(name: string, value: MessageAttributes[string]) {
  if (typeof value === 'string') return { DataType: 'String', StringValue: value }
  if (typeof value === 'number') return { DataType: 'Number', StringValue: String(value) }
  return { DataType: 'Binary', BinaryValue: decodeBase64(value.$bytes, `attributes.${name}`) }
}

/** As JSON; a number that JSON would round stays text. */
export function fromMessageAttributes(
  attributes: Readonly<Record<string, Attribute>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [name, fromAttribute(attribute)]),
  )
}

function fromAttribute({ DataType = '', StringValue = '', BinaryValue }: Attribute): unknown {
  if (BinaryValue !== undefined) return { $bytes: Buffer.from(BinaryValue).toString('base64') }
  const isNumber = /^Number\b/.test(DataType) && String(Number(StringValue)) === StringValue
  return isNumber ? Number(StringValue) : StringValue
}
