import { isObject } from '../../../core/parse-json.ts'
import type { OpenapiDocument } from './document.ts'

interface Edges {
  /** References that stand directly in an `allOf`. */
  readonly extended: readonly string[]
  /** All other references that are about the value itself. */
  readonly others: readonly string[]
}

/**
 * Says which references lead back to where they stand without going into a part of the value, so that checking a value
 * would never end: a parent that lists its children in `oneOf`, each of which extends the parent in `allOf`.
 */
export class RefCycles {
  readonly #document: OpenapiDocument
  readonly #edges = new Map<string, Edges>()
  readonly #reached = new Map<string, ReadonlySet<string>>()

  constructor(document: OpenapiDocument) {
    this.#document = document
  }

  /**
   * Every reference of an `allOf` that is part of a circle is cut; so of the others only those of circles without any.
   */
  isCircular(ref: string, owner: string | undefined, isAllOf: boolean): boolean {
    if (owner === undefined) return false
    return ref === owner || this.#reach(ref, isAllOf).has(owner)
  }

  #reach(from: string, throughExtended: boolean): ReadonlySet<string> {
    const key = `${throughExtended ? 'all' : 'some'} ${from}`
    const known = this.#reached.get(key)
    if (known !== undefined) return known
    const reached = new Set<string>()
    const pending = [from]
    for (let ref = pending.pop(); ref !== undefined; ref = pending.pop()) {
      const { extended, others } = this.#edgesOf(ref)
      for (const next of throughExtended ? [...extended, ...others] : others) {
        if (reached.has(next)) continue
        reached.add(next)
        pending.push(next)
      }
    }
    this.#reached.set(key, reached)
    return reached
  }

  #edgesOf(ref: string): Edges {
    let edges = this.#edges.get(ref)
    if (edges === undefined) {
      const found = { extended: [] as string[], others: [] as string[] }
      collect(this.#document.find(ref), found, 0)
      edges = found
      this.#edges.set(ref, edges)
    }
    return edges
  }
}

function collect(node: unknown, found: { extended: string[]; others: string[] }, depth: number): void {
  if (!isObject(node) || depth > 30) return
  if (typeof node['$ref'] === 'string') found.others.push(node['$ref'])
  for (const part of listOf(node['allOf'])) {
    const ref = isObject(part) ? part['$ref'] : undefined
    if (typeof ref === 'string') found.extended.push(ref)
    else collect(part, found, depth + 1)
  }
  const inner = [...listOf(node['anyOf']), ...listOf(node['oneOf']), node['then'], node['else']]
  for (const part of inner) collect(part, found, depth + 1)
  if (isObject(node['dependentSchemas'])) {
    for (const part of Object.values(node['dependentSchemas'])) collect(part, found, depth + 1)
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
