import type { Params, RequestId } from './json-rpc.ts'

/** `_meta` keys of the protocol itself. They concern one hop and never travel further. */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const

/** The extension by which a call may be answered with a task that outlives it. */
export const tasksExtension = 'io.modelcontextprotocol/tasks'

/** Whether an end said that it speaks the extension. */
export function hasExtension(capabilities: Capabilities | undefined, extension: string): boolean {
  const extensions = capabilities?.['extensions']
  return typeof extensions === 'object' && extensions !== null && extension in extensions
}

/** The same capabilities, and besides that the end speaks the extension. */
export function withExtension(capabilities: Capabilities | undefined, extension: string): Capabilities {
  if (hasExtension(capabilities, extension)) return capabilities!
  const extensions = capabilities?.['extensions']
  return { ...capabilities, extensions: { ...Object(extensions), [extension]: {} } }
}

/** The same capabilities, without a word of the extension. */
export function withoutExtension(capabilities: Capabilities, extension: string): Capabilities {
  if (!hasExtension(capabilities, extension)) return capabilities
  const { [extension]: _, ...extensions } = capabilities['extensions'] as Record<string, unknown>
  return { ...capabilities, extensions }
}

const protocolPrefix = 'io.modelcontextprotocol/'

/** Who an end says it is. Shown and logged, never trusted. */
export interface Implementation {
  readonly name: string
  readonly version: string
  readonly [field: string]: unknown
}

/** What an end says it can do, by name; a name that is absent is a thing it cannot. */
export type Capabilities = Readonly<Record<string, unknown>>

/** What a request says about its sender, whichever era it comes from. */
export interface RequestMeta {
  readonly clientCapabilities: Capabilities
  readonly clientInfo?: unknown
  readonly progressToken?: RequestId
  readonly logLevel?: string
  /** The rest of `_meta`: what concerns the far end (`traceparent`, other vendors' keys). */
  readonly forward?: Readonly<Record<string, unknown>>
}

/** How one revision of the protocol says the same things. */
export interface Revision {
  readonly version: string
  /** Modern: every request says who it is. Legacy: a handshake opens a session (protocol.md). */
  readonly era: 'modern' | 'legacy'
  /** Whether a body may hold an array of messages. */
  readonly batches: boolean
  /** Reads `_meta`. Throws INVALID_PARAMS where the revision demands what is missing. */
  readMeta(params: Params): RequestMeta
  /** JSON members that every result carries here, ready to be put before its closing brace: `''` or `,"a":1`. */
  resultMembers(server: Implementation): string
  /** The same for a result that may be cached: how long, and for whom. */
  cacheMembers(ttlMs: number, scope: 'public' | 'private'): string
  /** The `_meta` a request of ours carries to an upstream of this revision. */
  renderMeta(meta: RequestMeta, self: Implementation): Record<string, unknown> | undefined
}

/** `_meta` without the protocol's own keys; undefined where nothing is left. */
export function stripProtocolMeta(meta: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof meta !== 'object' || meta === null) return undefined
  let kept: Record<string, unknown> | undefined
  for (const key in meta) {
    if (key === 'progressToken' || key.startsWith(protocolPrefix)) continue
    kept ??= {}
    kept[key] = (meta as Record<string, unknown>)[key]
  }
  return kept
}
