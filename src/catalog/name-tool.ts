import { createHash } from 'node:crypto'

/** Clients put their own prefix before our names, and the models behind them take 64 characters in all. */
const nameLengthMax = 40
const hashLength = 8

/**
 * The MCP name of a tool or prompt where many connections share one list: `{connection}__{tool}`. What is too long or
 * holds a character that models refuse is shortened and ends in a hash of the whole, so that it stays the same for ever.
 */
export function nameTool(connection: string, tool: string): string {
  const full = `${connection}__${tool}`
  const safe = full.replace(/[^A-Za-z0-9_-]/g, '_')
  if (safe === full && full.length <= nameLengthMax) return full
  const hash = createHash('sha256').update(full).digest('hex').slice(0, hashLength)
  return `${safe.slice(0, nameLengthMax - hashLength - 1)}_${hash}`
}

/** The URI of a resource that several connections have under one URI: `weir:{connection}:{uri}`. Always understood. */
export function nameTarget(connection: string, uri: string): string {
  return `weir:${connection}:${uri}`
}

/** What `nameTarget` made; undefined for any other URI. */
export function parseTargetName(
  uri: string,
): { readonly connection: string; readonly name: string } | undefined {
  const [, connection, name] = /^weir:([a-z0-9-]+):(.+)$/s.exec(uri) ?? []
  return connection === undefined || name === undefined ? undefined : { connection, name }
}
