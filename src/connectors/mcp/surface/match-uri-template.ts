/** Bounds of what is matched at all: with them a match costs at most some 100,000 steps, whatever the two texts hold. */
const templateCharsMax = 4_096
const uriCharsMax = 4_096
const partsMax = 32

/** A fixed text, and after it, where `stops` is set, any text without those characters. */
interface Part {
  readonly lead: string
  /** For each place in the lead the longest shorter one to go on from where a character differs (Knuth, Morris, Pratt). */
  readonly fallbacks: readonly number[]
  readonly stops: string | undefined
  /** Whether the whole of it may be missing. */
  readonly optional: boolean
}

/** Ends of what matched so far: pairs of first and last place, rising and apart. */
type Reach = readonly (readonly [first: number, last: number])[]

/**
 * Compiles a URI template (RFC 6570, levels 1 to 3, and the modifiers of level 4 as far as a match goes) to a function
 * that tells whether a URI is of its form. Servers differ in what they take for a value, so a value may hold everything
 * but what begins the next part of a URI, and a query everything. A template that is none matches nothing.
 *
 * No regular expression is made of it: templates and URIs are foreign, and those can be made to take for ever.
 */
export function compileUriTemplate(template: string): (uri: string) => boolean {
  const parts = template.length > templateCharsMax ? undefined : parseTemplate(template)
  if (parts === undefined || parts.length > partsMax) return () => false
  return (uri) => uri.length <= uriCharsMax && matchParts(parts, uri)
}

function parseTemplate(template: string): readonly Part[] | undefined {
  const parts: Part[] = []
  let at = 0
  while (at < template.length) {
    const open = template.indexOf('{', at)
    const literal = open === -1 ? template.slice(at) : template.slice(at, open)
    if (literal.includes('}')) return undefined
    if (literal !== '') parts.push(createPart(literal, undefined, false))
    if (open === -1) break
    const close = template.indexOf('}', open)
    const expression = close === -1 ? undefined : parseExpression(template.slice(open + 1, close))
    if (expression === undefined) return undefined
    parts.push(...expression)
    if (parts.length > partsMax) return undefined
    at = close + 1
  }
  return parts
}

const segmentEnd = '/?#'
const expressionForm = /^([+#./;?&]?)([A-Za-z0-9_.%-]+)(:[1-9][0-9]{0,3}|\*)?$/

function parseExpression(expression: string): readonly Part[] | undefined {
  const variables: { readonly name: string; readonly explodes: boolean }[] = []
  let operator = ''
  for (const [index, variable] of expression.split(',', partsMax + 1).entries()) {
    const [, sign = '', name, modifier] = expressionForm.exec(variable) ?? []
    if (name === undefined || (index > 0 && sign !== '')) return undefined
    if (index === 0) operator = sign
    variables.push({ name, explodes: modifier === '*' })
  }
  const explodes = variables.some((variable) => variable.explodes)
  switch (operator) {
    case '':
      // Servers take `{path*}` for a value that may hold slashes.
      return [createPart('', explodes ? '' : segmentEnd, false)]
    case '+':
      return [createPart('', '', false)]
    case '#':
      return [createPart('#', '', true)]
    case '.':
      return [createPart('.', segmentEnd, true)]
    case '/':
      if (explodes) return [createPart('/', '?#', true)]
      return variables.map(() => createPart('/', segmentEnd, true))
    case ';':
      return variables.map(({ name }) => createPart(`;${name}`, `${segmentEnd};`, true))
    default:
      return [createPart(operator, '#', true)]
  }
}

function createPart(lead: string, stops: string | undefined, optional: boolean): Part {
  const fallbacks = [0]
  let length = 0
  for (let at = 1; at < lead.length; at += 1) {
    while (length > 0 && lead[at] !== lead[length]) length = fallbacks[length - 1] as number
    if (lead[at] === lead[length]) length += 1
    fallbacks.push(length)
  }
  return { lead, fallbacks, stops, optional }
}

function matchParts(parts: readonly Part[], uri: string): boolean {
  let reach: Reach = [[0, 0]]
  for (const part of parts) {
    reach = extend(reach, part, uri)
    if (reach.length === 0) return false
  }
  return reach[reach.length - 1]?.[1] === uri.length
}

/** Where a match can end after one more part. Each place of the URI is looked at a fixed number of times. */
function extend(reach: Reach, part: Part, uri: string): Reach {
  const next: [number, number][] = []
  let kept = 0
  let end = -1
  const add = (first: number, last: number) => {
    const previous = next[next.length - 1]
    if (previous === undefined || first > previous[1] + 1) next.push([first, last])
    else if (last > previous[1]) previous[1] = last
  }
  const keepUntil = (place: number) => {
    while (part.optional && kept < reach.length && (reach[kept] as [number, number])[0] <= place) {
      add(...(reach[kept] as [number, number]))
      kept += 1
    }
  }
  leadEnds(reach, part, uri, (first, last) => {
    keepUntil(first)
    if (part.stops === undefined) return add(first, last)
    if (last > end) end = findStop(uri, last, part.stops)
    add(first, end)
  })
  keepUntil(uri.length)
  return next
}

/** Calls back with each place, or run of places, where the part's fixed text ends that began within reach; rising. */
function leadEnds(
  reach: Reach,
  { lead, fallbacks }: Part,
  uri: string,
  found: (first: number, last: number) => void,
): void {
  if (lead === '') {
    for (const [first, last] of reach) found(first, last)
    return
  }
  let matched = 0
  let near = 0
  const from = reach[0]?.[0] ?? uri.length
  const until = Math.min(uri.length, (reach[reach.length - 1]?.[1] ?? 0) + lead.length)
  for (let at = from; at < until; at += 1) {
    while (matched > 0 && uri[at] !== lead[matched]) matched = fallbacks[matched - 1] as number
    if (uri[at] === lead[matched]) matched += 1
    if (matched < lead.length) continue
    const start = at + 1 - lead.length
    while (near < reach.length && (reach[near] as [number, number])[1] < start) near += 1
    if (near < reach.length && (reach[near] as [number, number])[0] <= start) found(at + 1, at + 1)
    matched = fallbacks[matched - 1] as number
  }
}

function findStop(uri: string, from: number, stops: string): number {
  if (stops === '') return uri.length
  let at = from
  while (at < uri.length && !stops.includes(uri[at] as string)) at += 1
  return at
}
