/** Names of connections come from the operator's file; more than these are reloads with ever other names. */
const connectionsMax = 1_000

/** One thing for each connection. */
export interface PerConnection<T> {
  /** Made at first use. */
  of(connection: string): T
  entries(): Iterable<readonly [connection: string, T]>
}

/** Beyond its bound the oldest is let go by this, and not by who uses it. */
export function createPerConnection<T>(create: () => T): PerConnection<T> {
  const known = new Map<string, T>()
  return {
    of(connection) {
      let found = known.get(connection)
      if (found === undefined) {
        if (known.size >= connectionsMax) known.delete(known.keys().next().value!)
        found = create()
        known.set(connection, found)
      }
      return found
    },
    entries: () => known.entries(),
  }
}
