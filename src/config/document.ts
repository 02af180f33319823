import { type Path, pathKey } from './path.ts'
import type { Position } from './problems.ts'

/** A value that came out of interpolation. */
interface Origin {
  readonly path: Path
  readonly text: string
  /** What came from outside the file: variables and other files. */
  readonly outside: readonly string[]
  /** Whether it was exactly one `${…}`, so that a number or boolean may be meant. */
  readonly isSole: boolean
}

interface Place {
  readonly key: Position | undefined
  readonly value: Position
}

/** The configuration as plain values, with where each one stands and where it came from. */
export class ConfigDocument {
  /** What the file says, interpolated: objects, arrays and scalars. */
  value: unknown = undefined
  readonly #places = new Map<string, Place>()
  readonly #origins = new Map<string, Origin>()
  readonly #broken = new Set<string>()
  readonly #aroundBroken = new Set<string>()

  place(path: Path, key: Position | undefined, value: Position): void {
    this.#places.set(pathKey(path), { key, value })
  }

  /** Remembers an interpolated value. */
  trace(origin: Origin): void {
    this.#origins.set(pathKey(origin.path), origin)
  }

  /** Marks a value that already has its problem, so that no second one follows from it. */
  markBroken(path: Path): void {
    this.#broken.add(pathKey(path))
    for (const around of prefixes(path)) this.#aroundBroken.add(around)
  }

  origin(path: Path): Origin | undefined {
    return this.#origins.get(pathKey(path))
  }

  origins(): Iterable<Origin> {
    return this.#origins.values()
  }

  /** Whether a complaint about `path` only repeats a problem above, at or below it. */
  isBroken(path: Path): boolean {
    return this.#aroundBroken.has(pathKey(path)) || prefixes(path).some((start) => this.#broken.has(start))
  }

  has(path: Path): boolean {
    return this.#places.has(pathKey(path))
  }

  /** Where the value stands, or its key; for what is absent, where the nearest thing around it does. */
  locate(path: Path, what: 'key' | 'value'): Position {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places.get(pathKey(path.slice(0, length)))
      if (place === undefined) continue
      const isItself = length === path.length
      return isItself && what === 'value' ? place.value : (place.key ?? place.value)
    }
    return { line: 1, column: 1 }
  }
}

/** The path itself and everything around it, as map keys. */
function prefixes(path: Path): string[] {
  return Array.from({ length: path.length + 1 }, (_, length) => pathKey(path.slice(0, length)))
}
