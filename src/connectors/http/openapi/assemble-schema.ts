import type { JsonSchema } from '../../../core/schema.ts'
import type { Direction } from './convert-schema.ts'
import type { SchemaShelf, Shelved } from './schema-shelf.ts'

/** What one schema may hold at most: S17's bounds, somewhat below what the schema compiler takes. */
export interface SchemaBudget {
  readonly bytesMax: number
}

const partsMax = 900
const untold: JsonSchema = { description: 'Any JSON: too large to be told here.' }
const stubBytes = 70

/** A schema with all that it refers to, and whether it says less than the document. */
export interface Assembled {
  readonly schema: JsonSchema
  readonly isSimplified: boolean
}

/**
 * Puts the definitions a schema refers to beside it. Where they do not fit, descriptions go first, those of the schema
 * itself last; then definitions, the farthest first, each of which then allows anything. Undefined where the schema itself
 * is too large.
 */
export function assembleSchema(
  write: (keepsTexts: boolean) => Shelved,
  direction: Direction,
  shelf: SchemaShelf,
  budget: SchemaBudget,
): Assembled | undefined {
  const full = write(true)
  const collect = (root: Shelved, keepsTexts: boolean, mayCut: boolean) =>
    collectDefinitions(root, (ref) => shelf.get(ref, direction, keepsTexts), shelf, budget, mayCut)
  const whole = collect(full, true, false) ?? undefined
  if (whole !== undefined) return { schema: join(full, whole), isSimplified: false }
  for (const mayCut of [false, true]) {
    for (const root of [full, write(false)]) {
      const definitions = collect(root, false, mayCut)
      if (definitions !== undefined) return { schema: join(root, definitions), isSimplified: true }
    }
  }
  return undefined
}

function join({ schema }: Shelved, definitions: ReadonlyMap<string, JsonSchema | boolean>): JsonSchema {
  const whole = typeof schema === 'boolean' ? {} : schema
  return definitions.size === 0 ? whole : { ...whole, $defs: Object.fromEntries(definitions) }
}

/** Breadth first, so that what is near the arguments is there first. Undefined where they do not fit and may not be cut. */
function collectDefinitions(
  root: Shelved,
  get: (ref: string) => Shelved,
  shelf: SchemaShelf,
  { bytesMax }: SchemaBudget,
  mayCut: boolean,
): ReadonlyMap<string, JsonSchema | boolean> | undefined {
  const definitions = new Map<string, JsonSchema | boolean>()
  const pending = new Set(root.refs)
  const costOf = (ref: string) => shelf.nameOf(ref).length + 4 + stubBytes
  let bytes = root.bytes + 12 + root.refs.reduce((sum, ref) => sum + costOf(ref), 0)
  let parts = root.parts + root.refs.length
  const isWithin = () => bytes <= bytesMax && parts <= partsMax
  if (!isWithin()) return undefined
  // A set gives what is added while it is read.
  for (const ref of pending) {
    const found = get(ref)
    const fresh = found.refs.filter((next) => !pending.has(next))
    const moreBytes = found.bytes - stubBytes + fresh.reduce((sum, next) => sum + costOf(next), 0)
    const fits = bytes + moreBytes <= bytesMax && parts + found.parts + fresh.length <= partsMax
    if (!fits && !mayCut) return undefined
    definitions.set(shelf.nameOf(ref), fits ? found.schema : untold)
    if (!fits) continue
    bytes += moreBytes
    parts += found.parts + fresh.length
    for (const next of fresh) pending.add(next)
  }
  return definitions
}
