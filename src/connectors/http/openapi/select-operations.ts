import { compileGlob } from '../../../core/glob.ts'
import { findNearestKey } from '../../../core/nearest-key.ts'
import type { Operation } from './list-operations.ts'
import type { OpenapiConfig } from './openapi-config.ts'

/** Which operations are meant, and which words of the selection mean none. */
export interface Selection {
  readonly operations: readonly Operation[]
  readonly idle: readonly IdleSelector[]
}

/** A word of the selection that fits nothing, and what it was probably meant to be. */
export interface IdleSelector {
  readonly key: string
  readonly selector: string
  readonly nearest?: string
}

type Names = (operation: Operation) => readonly string[]

const byTag: Names = ({ tags }) => tags
const byPath: Names = ({ path }) => [path]
const byName: Names = ({ id, key }) => (id === undefined ? [key] : [id, key])
const byAny: Names = ({ id, key, path }) => [...(id === undefined ? [] : [id]), key, path]

/** An operation must fit one word of each list there is, and none of `exclude`. */
export function selectOperations(all: readonly Operation[], config: OpenapiConfig): Selection {
  const { tags, paths, operations, exclude, effects } = config
  const lists = [
    createList('tags', tags, byTag, all),
    createList('paths', paths, byPath, all),
    createList('operations', operations, byName, all),
  ]
  const excluded = createList('exclude', exclude ?? [], byAny, all)
  const named = createList('effects', Object.keys(effects), byName, all, (text) => (other) => other === text)
  return {
    operations: all.filter((one) => lists.every(({ fits }) => fits(one)) && !excluded.fits(one)),
    idle: [...lists, excluded, named].flatMap(({ idle }) => idle),
  }
}

/** An absent list fits everything, an empty one nothing. */
function createList(
  key: string,
  selectors: readonly string[] | undefined,
  namesOf: Names,
  all: readonly Operation[],
  compile: (selector: string) => (text: string) => boolean = compileGlob,
): { readonly fits: (operation: Operation) => boolean; readonly idle: readonly IdleSelector[] } {
  if (selectors === undefined) return { fits: () => true, idle: [] }
  const globs = selectors.map((selector) => ({ selector, matches: compile(selector) }))
  const names = new Set(all.flatMap(namesOf))
  const idle = globs
    .filter(({ matches }) => ![...names].some(matches))
    .map(({ selector }): IdleSelector => {
      const nearest = findNearestKey(selector, names)
      return { key, selector, ...(nearest === undefined ? {} : { nearest }) }
    })
  return { fits: (operation) => globs.some(({ matches }) => namesOf(operation).some(matches)), idle }
}

/** The tags that most of the operations have, with their counts: how to narrow a selection. */
export function countTags(operations: readonly Operation[], most: number): string {
  const counts = new Map<string, number>()
  for (const { tags } of operations) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  const sorted = [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
  const shown = sorted.slice(0, most).map(([tag, count]) => `${tag.slice(0, 60)} (${count})`)
  return [...shown, ...(sorted.length > most ? [`and ${sorted.length - most} more`] : [])].join(', ')
}
