import { isObject } from '../../../core/parse-json.ts'
import { type Dialect, type Node, readDialect } from './parse-document.ts'

/** References followed one after the other before they count as a circle. */
const chainMax = 20

/**
 * One OpenAPI document and the files it refers to. References are those of the root; in another file they were given
 * that file's key before the `#` when it was read.
 */
export class OpenapiDocument {
  readonly root: Node
  readonly dialect: Dialect
  readonly #files: ReadonlyMap<string, Node>
  readonly #found = new Map<string, unknown>()

  /** Throws an Error where the root is no OpenAPI document that can be read. */
  constructor(root: Node, files: ReadonlyMap<string, Node> = new Map()) {
    this.root = root
    this.dialect = readDialect(root)
    this.#files = files
  }

  /** What a reference points at; undefined where there is nothing, or nothing that may be read. */
  find(ref: string): unknown {
    if (this.#found.has(ref)) return this.#found.get(ref)
    const found = this.#look(ref)
    this.#found.set(ref, found)
    return found
  }

  /** The object itself, or what its `$ref` leads to. Throws an Error where it leads nowhere. */
  follow(value: unknown): Node {
    let node = value
    for (let step = 0; step < chainMax; step += 1) {
      if (!isObject(node)) throw new Error('it has a part that is no object')
      const ref: unknown = node['$ref']
      if (typeof ref !== 'string') return node
      node = this.find(ref)
      if (node === undefined)
        throw new Error(`it refers to ${JSON.stringify(ref.slice(0, 200))}, which cannot be read`)
    }
    throw new Error('its references lead in a circle')
  }

  #look(ref: string): unknown {
    const [file = '', pointer = ''] = splitRef(ref)
    let node: unknown = file === '' ? this.root : this.#files.get(file)
    if (pointer === '') return node
    if (!pointer.startsWith('/')) return undefined
    for (const part of pointer.slice(1).split('/')) {
      if (typeof node !== 'object' || node === null) return undefined
      const key = decodePart(part)
      if (!Object.hasOwn(node, key)) return undefined
      node = (node as Readonly<Record<string, unknown>>)[key]
    }
    return node
  }
}

/** The file's part of a reference, and the pointer into it. */
export function splitRef(ref: string): readonly [string, string] {
  const at = ref.indexOf('#')
  return at === -1 ? [ref, ''] : [ref.slice(0, at), ref.slice(at + 1)]
}

function decodePart(part: string): string {
  let text = part
  try {
    text = decodeURIComponent(part)
  } catch {
    // A lone `%` stands for itself.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~')
}
