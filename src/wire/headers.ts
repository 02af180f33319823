import { WeirError } from '../core/error.ts'
import { isObject } from '../core/parse-json.ts'
import type { JsonSchema } from '../core/schema.ts'
import type { Params } from './json-rpc.ts'

/** HTTP header names of the protocol, as Node gives them. */
export const headerNames = {
  protocolVersion: 'mcp-protocol-version',
  method: 'mcp-method',
  name: 'mcp-name',
  session: 'mcp-session-id',
  param: 'mcp-param-',
} as const

const encodedValue = /^=\?base64\?(.*)\?=$/s
const strictBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** What a header can carry as it is: visible ASCII with inner blanks. */
const plainValue = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/
/** What a header may hold at all; Node gives bytes beyond it as Latin-1. */
const headerText = /^[\x20-\x7e\t]*$/

/** A value as it may stand in a header: itself, or `=?base64?…?=` where a header could not carry it. */
export function encodeHeaderValue(value: string): string {
  if (plainValue.test(value) && !encodedValue.test(value)) return value
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}

/** The value behind a header; undefined where its encoding is broken or it holds what no header may. */
export function decodeHeaderValue(header: string): string | undefined {
  if (!headerText.test(header)) return undefined
  const encoded = encodedValue.exec(header)?.[1]
  if (encoded === undefined) return header
  return strictBase64.test(encoded) ? Buffer.from(encoded, 'base64').toString('utf8') : undefined
}

/** Which parameter carries the name that `Mcp-Name` repeats, by method. */
const nameParam: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  // Of the tasks extension.
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

/** The value `Mcp-Name` must repeat; undefined where the method has none. */
export function nameOf(method: string, params: Params): string | undefined {
  const key = nameParam[method]
  if (key === undefined) return undefined
  const name = params[key]
  return typeof name === 'string' ? name : undefined
}

/** Request headers as Node gives them. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>

/** S8: what the headers say must be what the body says, before anything is decided by either. Throws HEADER_MISMATCH. */
export function checkStandardHeaders(headers: Headers, method: string, params: Params): void {
  if (headers[headerNames.method] !== method) {
    throw mismatch('Mcp-Method', headers[headerNames.method], method)
  }
  const name = nameOf(method, params)
  if (name === undefined) return
  const header = headers[headerNames.name]
  if (typeof header !== 'string' || decodeHeaderValue(header) !== name)
    throw mismatch('Mcp-Name', header, name)
}

/** One parameter of a tool that its callers repeat in a header (`x-mcp-header`). */
export interface ParamHeader {
  /** Lower case, with its prefix: `mcp-param-region`. */
  readonly header: string
  /** The property names that lead to it. */
  readonly path: readonly string[]
}

const headerToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const headerTypes: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])
/** Deeper annotations are refused rather than searched for. */
const paramDepthMax = 16

/**
 * The parameters of an input schema that travel in headers too. Throws INVALID_PARAMS, saying why, where an annotation
 * breaks the protocol's rules; a client must then leave the whole tool out.
 */
export function readParamHeaders(input: JsonSchema): readonly ParamHeader[] {
  const found: ParamHeader[] = []
  collectParamHeaders(input, [], found)
  const headers = new Set(found.map(({ header }) => header))
  if (headers.size !== found.length) throw badAnnotation('two parameters share one x-mcp-header')
  if (countAnnotations(input, 0) !== found.length) {
    throw badAnnotation('an x-mcp-header stands where no plain chain of properties leads')
  }
  return found
}

function collectParamHeaders(schema: JsonSchema, path: readonly string[], found: ParamHeader[]): void {
  if (!isObject(schema['properties']) || path.length > paramDepthMax) return
  for (const [name, property] of Object.entries(schema['properties'])) {
    if (!isObject(property)) continue
    const here = [...path, name]
    if ('x-mcp-header' in property) found.push(readAnnotation(property, here))
    collectParamHeaders(property, here, found)
  }
}

function readAnnotation(property: Record<string, unknown>, path: readonly string[]): ParamHeader {
  const name = property['x-mcp-header']
  if (typeof name !== 'string' || !headerToken.test(name))
    throw badAnnotation('an x-mcp-header is no header name')
  if (!headerTypes.has(property['type']))
    throw badAnnotation('an x-mcp-header stands at a type no header carries')
  return { header: headerNames.param + name.toLowerCase(), path }
}

const sampleKeywords: ReadonlySet<string> = new Set(['default', 'examples', 'const', 'enum'])

function countAnnotations(node: unknown, depth: number): number {
  if (typeof node !== 'object' || node === null || depth > 64) return 0
  let count = 0
  for (const [key, value] of Object.entries(node)) {
    // Samples of values are no schemas, whatever they look like.
    if (sampleKeywords.has(key)) continue
    if (key === 'x-mcp-header' && typeof value === 'string') count += 1
    count += countAnnotations(value, depth + 1)
  }
  return count
}

function badAnnotation(why: string): WeirError {
  return new WeirError('INVALID_PARAMS', `The tool's input schema is not usable: ${why}.`)
}

/** S8 for parameters: each value in the body stands in its header, and no header stands alone. Throws HEADER_MISMATCH. */
export function checkParamHeaders(headers: Headers, params: readonly ParamHeader[], input: unknown): void {
  for (const { header, path } of params) {
    const value = valueAt(input, path)
    const expected = renderParam(value)
    const given = headers[header]
    const decoded = typeof given === 'string' ? decodeHeaderValue(given) : undefined
    const isSame = expected === undefined ? given === undefined : sameParam(decoded, value, expected)
    if (!isSame) throw mismatch(header, given, expected)
  }
}

/** The `Mcp-Param-*` headers of one call. */
export function renderParamHeaders(params: readonly ParamHeader[], input: unknown): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const { header, path } of params) {
    const value = renderParam(valueAt(input, path))
    if (value !== undefined) headers[header] = encodeHeaderValue(value)
  }
  return headers
}

function valueAt(input: unknown, path: readonly string[]): unknown {
  let value = input
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

function renderParam(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** `42.0` and `42` are one number, and two texts. */
function sameParam(given: string | undefined, value: unknown, expected: string): boolean {
  if (given === undefined || given === expected) return given !== undefined
  return typeof value === 'number' && /^-?\d+(\.0+)?$/.test(given) && Number(given) === value
}

function mismatch(name: string, header: unknown, body: string | undefined): WeirError {
  const seen = header === undefined ? 'is missing' : `says ${JSON.stringify(header)}`
  return new WeirError(
    'HEADER_MISMATCH',
    `The header ${name} ${seen}; the body says ${JSON.stringify(body ?? null)}.`,
    {
      hint: 'Headers must repeat what the body says.',
    },
  )
}
