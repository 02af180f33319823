import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import { decodeBase64 } from '../shared/cloud/decode-base64.ts'

type Sdk = typeof import('@aws-sdk/util-dynamodb')
const number = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * JSON as DynamoDB has it: `{"$bytes": base64}` for bytes, `{"$set": [...]}` for a set, `{"$number": "..."}` for a number
 * that JSON would round. The same forms come out, so what was read can be written back as what it was.
 */
export async function toAttributes(
  value: Readonly<Record<string, unknown>>,
  where: string,
): Promise<Record<string, AttributeValue>> {
  const sdk = await import('@aws-sdk/util-dynamodb')
  const native = Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, toNative(inner, `${where}.${name}`, sdk)]),
  )
  try {
    return sdk.marshall(native)
  } catch (cause) {
    throw invalid(`${where} cannot be written: ${cause instanceof Error ? cause.message : ''}`, cause)
  }
}

/** The other way round. */
export async function fromAttributes(
  attributes: Readonly<Record<string, AttributeValue>>,
): Promise<Record<string, unknown>> {
  const { unmarshall } = await import('@aws-sdk/util-dynamodb')
  return toJson(unmarshall(attributes, { wrapNumbers: toNumber })) as Record<string, unknown>
}

/** As a JSON number where that is exact. */
function toNumber(text: string): unknown {
  const value = Number(text)
  const isExact = /^-?\d+$/.test(text) ? Number.isSafeInteger(value) : String(value) === text
  return isExact ? value : { $number: text }
}

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (value instanceof Set) return { $set: [...value].map(toJson) }
  if (Array.isArray(value)) return value.map(toJson)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner)]))
}

function toNative(value: unknown, where: string, sdk: Sdk): unknown {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw invalid(`The number ${value} in ${where} is too large to be exact; write {"$number": "…"}.`)
  }
  if (Array.isArray(value)) return value.map((inner, at) => toNative(inner, `${where}[${at}]`, sdk))
  if (!isObject(value)) return value
  const [[name, inner] = [], ...others] = Object.entries(value)
  if (others.length === 0 && name !== undefined && Object.hasOwn(forms, name)) {
    return forms[name as keyof typeof forms](inner, where, sdk)
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, toNative(each, `${where}.${key}`, sdk)]),
  )
}

const forms = {
  $bytes(inner: unknown, where: string): Uint8Array {
    if (typeof inner !== 'string') throw invalid(`What stands in ${where}.$bytes is no base64.`)
    return decodeBase64(inner, where)
  },
  $number(inner: unknown, where: string, { NumberValueImpl }: Sdk): unknown {
    if (typeof inner === 'string' && number.test(inner)) return NumberValueImpl.from(inner)
    throw invalid(`What stands in ${where}.$number is no number as text.`)
  },
  $set(inner: unknown, where: string, sdk: Sdk): unknown {
    const members = Array.isArray(inner)
      ? inner.map((each, at) => toMember(toNative(each, `${where}[${at}]`, sdk), sdk))
      : []
    const kinds = new Set(members.map((each) => kindOf(each, sdk)))
    if (kinds.size === 1 && !kinds.has('other')) return new Set(members)
    throw invalid(`The set in ${where} is empty, or not all strings, all numbers or all bytes.`)
  },
}

// The SDK takes a set's kind from its first member, so numbers all have one form.
function toMember(value: unknown, { NumberValueImpl }: Sdk): unknown {
  return typeof value === 'number' ? NumberValueImpl.from(value) : value
}

function kindOf(member: unknown, { NumberValueImpl }: Sdk): string {
  if (typeof member === 'string') return 'string'
  if (member instanceof Uint8Array) return 'bytes'
  return member instanceof NumberValueImpl ? 'number' : 'other'
}

function invalid(message: string, cause?: unknown): WeirError {
  return new WeirError('INVALID_INPUT', message, {
    hint: 'Bytes are {"$bytes": base64}, sets {"$set": [...]}, exact numbers {"$number": "..."}.',
    data: { sent: false },
    ...(cause === undefined ? {} : { cause }),
  })
}
