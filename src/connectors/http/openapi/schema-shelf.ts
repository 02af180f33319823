import { createHash } from 'node:crypto'
import type { JsonSchema } from '../../../core/schema.ts'
import { convertSchema, type Direction, type RefBook } from './convert-schema.ts'
import type { OpenapiDocument } from './document.ts'
import { RefCycles } from './ref-cycles.ts'

/** A schema, what it costs, and what it refers to. */
export interface Shelved {
  readonly schema: JsonSchema | boolean
  readonly refs: readonly string[]
  readonly bytes: number
  /** Objects in it, at least as many as schemas. */
  readonly parts: number
}

/** Names that a reference may not end in: to the schema compiler they are places of values. */
const valueKeywords = new Set(['enum', 'const', 'default', 'examples'])

/** Converts the schemas of one document, those that are referred to once for all tools. */
export class SchemaShelf implements RefBook {
  readonly document: OpenapiDocument
  readonly #cycles: RefCycles
  readonly #shelved = new Map<string, Shelved>()
  readonly #names = new Map<string, string>()

  constructor(document: OpenapiDocument) {
    this.document = document
    this.#cycles = new RefCycles(document)
  }

  isCircular(ref: string, owner: string | undefined, isAllOf: boolean): boolean {
    return this.#cycles.isCircular(ref, owner, isAllOf)
  }

  /** The last part of the reference; with a hash of the whole where that could be another's too. */
  nameOf(ref: string): string {
    let name = this.#names.get(ref)
    if (name === undefined) {
      name = nameDefinition(ref)
      this.#names.set(ref, name)
    }
    return name
  }

  /** A schema that stands in an operation itself. */
  convert(value: unknown, direction: Direction, keepsTexts = true): Shelved {
    return this.#convert(value, direction, keepsTexts, undefined)
  }

  /** What a reference points at. */
  get(ref: string, direction: Direction, keepsTexts: boolean): Shelved {
    const key = `${direction} ${keepsTexts} ${ref}`
    let shelved = this.#shelved.get(key)
    if (shelved === undefined) {
      shelved = this.#convert(this.document.find(ref), direction, keepsTexts, ref)
      this.#shelved.set(key, shelved)
    }
    return shelved
  }

  #convert(value: unknown, direction: Direction, keepsTexts: boolean, owner: string | undefined): Shelved {
    const refs = new Set<string>()
    const schema = convertSchema(value, { book: this, direction, keepsTexts, owner, refs })
    return {
      schema,
      refs: [...refs],
      bytes: Buffer.byteLength(JSON.stringify(schema)),
      parts: countParts(schema),
    }
  }
}

function nameDefinition(ref: string): string {
  const name = ref.slice(ref.lastIndexOf('/') + 1)
  const isOwn =
    ref === `#/components/schemas/${name}` && /^[A-Za-z0-9_.-]{1,64}$/.test(name) && !valueKeywords.has(name)
  if (isOwn) return name
  const hash = createHash('sha256').update(ref).digest('hex').slice(0, 8)
  return `${name.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 48)}_${hash}`
}

function countParts(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : 1
  return Object.values(value).reduce<number>((sum, item) => sum + countParts(item), own)
}
