/** Where a value stands in the configuration: object keys and array indexes from the root. */
export type Path = readonly (string | number)[]

const bareKey = /^[\w$-]+$/

/** A path as people write it: `connections.database.args[0]`; keys with other characters are quoted. */
export function renderPath(path: Path): string {
  return path.map(renderSegment).join('').replace(/^\./, '')
}

function renderSegment(segment: string | number): string {
  if (typeof segment === 'number') return `[${segment}]`
  return bareKey.test(segment) ? `.${segment}` : `.${JSON.stringify(segment)}`
}

/** A path as a map key. `1` and `"1"` differ, and no key can imitate two. */
export function pathKey(path: Path): string {
  return JSON.stringify(path)
}

/** An object as YAML and JSON have it: neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at `path`, undefined where there is none. Own properties only. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const segment of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
    value = (value as Record<string | number, unknown>)[segment]
  }
  return value
}
