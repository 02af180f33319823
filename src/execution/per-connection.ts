/** Names of connections come from the operator's file; more than these are reloads with ever other names. */
const connectionsMax = 1_000

/** One thing for each connection, made at first use. Beyond the bound the oldest is let go by this, not by who uses it. */
export function createPerConnection<T>(create: (connection: string) => T): (connection: string) => T {
  const known = new Map<string, T>()
  return (connection) => {
    let found = known.get(connection)
    if (found === undefined) {
      if (known.size >= connectionsMax) known.delete(known.keys().next().value!)
      found = create(connection)
      known.set(connection, found)
    }
    return found
  }
}
