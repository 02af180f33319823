import { isObject } from '../../../core/parse-json.ts'
import { foldHeaderName, isProtectedHeader } from '../header-rules.ts'
import type { OpenapiDocument } from './document.ts'
import type { Node } from './parse-document.ts'

/** Where a parameter travels. */
export type Location = 'path' | 'query' | 'header'

/** How a value is written into a URL or header. */
export interface ParameterStyle {
  readonly style: 'simple' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject'
  readonly explode: boolean
  readonly allowReserved: boolean
  /** Whether the value is written as JSON text, whatever the style. */
  readonly isJson: boolean
}

/** One parameter of an operation, as a call gives it and as the API gets it. */
export interface Parameter extends ParameterStyle {
  readonly name: string
  readonly location: Location
  readonly isRequired: boolean
  readonly description: string | undefined
  /** Its schema in the document; absent where that says nothing. */
  readonly schema: unknown
}

/** The parameters that Weir sends itself, by folded name. */
export interface ReservedParameters {
  readonly headers: ReadonlySet<string>
  readonly query: ReadonlySet<string>
}

/** The parameters of an operation, and what a caller should know of those that are left out. */
export interface ReadParameters {
  readonly parameters: readonly Parameter[]
  readonly notes: readonly string[]
}

const styles: Readonly<Record<Location, readonly string[]>> = {
  path: ['simple'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
}
/** OpenAPI gives these to the media types of the body and the answer, and to the credential. */
const ignoredHeaders = new Set(['accept', 'content-type', 'authorization'])
const parametersMax = 200
const order: readonly Location[] = ['path', 'query', 'header']

/**
 * An operation's own parameters, and those of its path that it does not redefine, in one order whatever the document's.
 * Throws an Error that says why the operation cannot be called, where one of them has no form Weir can write.
 */
export function readParameters(
  document: OpenapiDocument,
  pathItem: Node,
  operation: Node,
  reserved: ReservedParameters,
): ReadParameters {
  const byKey = new Map<string, Node>()
  for (const list of [pathItem['parameters'], operation['parameters']]) {
    if (!Array.isArray(list)) continue
    for (const value of list) {
      const node = document.follow(value)
      byKey.set(`${String(node['in'])} ${String(node['name'])}`, node)
    }
  }
  if (byKey.size > parametersMax) throw new Error(`it has more than ${parametersMax} parameters`)
  const notes: string[] = []
  const parameters = [...byKey.values()].flatMap((node) => readOne(node, reserved, notes))
  parameters.sort((a, b) => order.indexOf(a.location) - order.indexOf(b.location) || compare(a.name, b.name))
  return { parameters, notes }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function readOne(node: Node, reserved: ReservedParameters, notes: string[]): readonly Parameter[] {
  const { in: location, name } = node
  if (typeof name !== 'string' || name === '') throw new Error('it has a parameter without a name')
  if (location === 'cookie') {
    if (node['required'] === true) notes.push(`The cookie ${name.slice(0, 100)} is not sent.`)
    return []
  }
  if (location !== 'path' && location !== 'query' && location !== 'header')
    throw new Error(`its parameter ${name.slice(0, 100)} is in ${JSON.stringify(location)?.slice(0, 50)}`)
  if (isLeftOut(location, name, reserved)) return []
  return [{ ...readStyle(node, location, name), ...{ name, location }, ...readMeaning(node, location) }]
}

function readMeaning(
  node: Node,
  location: Location,
): Pick<Parameter, 'isRequired' | 'description' | 'schema'> {
  const { description } = node
  return {
    isRequired: location === 'path' || node['required'] === true,
    description: typeof description === 'string' ? description : undefined,
    schema: contentOf(node)?.[1]['schema'] ?? node['schema'],
  }
}

function isLeftOut(location: Location, name: string, reserved: ReservedParameters): boolean {
  if (location === 'query') return reserved.query.has(name)
  if (location !== 'header') return false
  const folded = foldHeaderName(name)
  return ignoredHeaders.has(folded) || isProtectedHeader(name) || reserved.headers.has(folded)
}

function readStyle(node: Node, location: Location, name: string): ParameterStyle {
  const content = contentOf(node)
  if (content !== undefined && !/[/+]json\b/i.test(content[0]))
    throw new Error(`its parameter ${name.slice(0, 100)} is written as ${content[0].slice(0, 100)}`)
  const style = node['style'] ?? (location === 'query' ? 'form' : 'simple')
  if (typeof style !== 'string' || !styles[location].includes(style))
    throw new Error(
      `its parameter ${name.slice(0, 100)} is written in the style ${JSON.stringify(style)?.slice(0, 50)}`,
    )
  return {
    style: style as ParameterStyle['style'],
    explode:
      typeof node['explode'] === 'boolean' ? node['explode'] : style === 'form' || style === 'deepObject',
    allowReserved: node['allowReserved'] === true,
    isJson: content !== undefined,
  }
}

/** The media type of a parameter that is written as one, and what is said of it. */
function contentOf(node: Node): readonly [string, Node] | undefined {
  const { content } = node
  if (!isObject(content)) return undefined
  const [first] = Object.entries(content)
  return first === undefined ? undefined : [first[0], isObject(first[1]) ? first[1] : {}]
}
