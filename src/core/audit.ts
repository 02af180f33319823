import type { Effect } from './tool.ts'

/**
 * What a record is of. `intent`: a call that changes something is about to be sent. `outcome`: how it ended. `call`: a
 * whole call in one record. `denials`: refusals of one caller and tool within one second. `lost`: calls whose records
 * were not kept. `pruned`: older records were removed, as the configuration says.
 */
export type AuditKind = 'intent' | 'outcome' | 'call' | 'denials' | 'lost' | 'pruned'

/** What is known of a call when it is noted down; the store bounds, digests and redacts it. Absent: not known. */
export interface AuditDraft {
  readonly kind: Exclude<AuditKind, 'pruned'>
  /** Wall-clock milliseconds. */
  readonly at: number
  readonly call?: string | undefined
  readonly subject?: string | undefined
  readonly tenant?: string | undefined
  readonly via?: string | undefined
  readonly tool?: string | undefined
  /** SHA-256 of the tool’s definition, base64url. */
  readonly definition?: string | undefined
  readonly effect?: Effect | undefined
  /** The arguments as they are. They are kept as a digest, and as a short text without secrets. */
  readonly input?: unknown
  readonly decision?: string | undefined
  readonly rule?: string | undefined
  readonly approval?: string | undefined
  readonly idempotencyKey?: string | undefined
  readonly outcome?: string | undefined
  readonly error?: string | undefined
  readonly durationUs?: number | undefined
  /** W3C trace context, as the client sent it. */
  readonly traceparent?: unknown
  /** Why the assistant makes the call, in its own words, and where it stands (D4-019). */
  readonly thought?: string | undefined
  readonly step?: string | undefined
  /** How many calls a record of several stands for. */
  readonly count?: number | undefined
}

/** One row of a chain. `null`: not known, or not of this kind. */
export interface AuditRecord {
  /** Which chain it is in, and at which place, from 1. */
  readonly chain: string
  readonly seq: number
  readonly kind: AuditKind
  readonly at: number
  readonly call: string | null
  readonly subject: string | null
  readonly tenant: string | null
  readonly via: string | null
  readonly tool: string | null
  readonly definition: string | null
  readonly effect: Effect | null
  /** SHA-256 of the arguments’ canonical JSON, base64url. */
  readonly digest: string | null
  readonly arguments: string | null
  readonly decision: string | null
  readonly rule: string | null
  readonly approval: string | null
  readonly idempotencyKey: string | null
  readonly outcome: string | null
  readonly error: string | null
  readonly durationUs: number | null
  readonly trace: string | null
  readonly thought: string | null
  readonly step: string | null
  readonly count: number | null
  /** SHA-256 of everything above and of the hash of the record before, base64url. */
  readonly hash: string
}

/** Where a chain begins and ends. `base` is the last record that was removed by age or number. */
export interface AuditChain {
  readonly chain: string
  readonly head: AuditPlace
  readonly base: AuditPlace
}

/** One place of a chain, and the hash there. */
export interface AuditPlace {
  readonly seq: number
  readonly hash: string
}

/** Which records of a chain are read. */
export interface AuditQuery {
  readonly chain: string
  readonly isNewestFirst: boolean
  /** Where the page before ended. */
  readonly after?: number | undefined
  readonly limit: number
  /** A tool’s id; `*` stands for anything. */
  readonly tool?: string | undefined
  readonly subject?: string | undefined
  readonly sinceMs?: number | undefined
  readonly calls?: readonly string[] | undefined
}

/** What a check of all chains found. */
export interface AuditVerdict {
  readonly chains: readonly AuditChain[]
  readonly rows: number
  /** The first thing that is not as it was written. */
  readonly fault?: { readonly chain: string; readonly seq: number; readonly what: string }
  /** Whether the hash that was asked for is still there. */
  readonly isHeadKept?: boolean
}

/** How a check is made. */
export interface AuditCheck {
  /** The hash of a head that was kept elsewhere. */
  readonly head?: string | undefined
  readonly onProgress?: (rows: number) => void
}

/** Who did what: records that are only ever added, each bound to the one before by its hash. */
export interface AuditStore {
  /** Adds drafts, each encoded by `encodeDraft`, all or none and in their order. Durable when it resolves. */
  append(drafts: readonly string[]): Promise<void>
  chains(): Promise<readonly AuditChain[]>
  read(query: AuditQuery): Promise<readonly AuditRecord[]>
  /** Reads everything, and says the first place that is not as it was written. */
  verify(check: AuditCheck): Promise<AuditVerdict>
}

/** A draft as text, so that what waits to be written can be measured, and cannot change any more. */
export function encodeDraft(draft: AuditDraft): string {
  return continueDraft('{', draft)
}

/** Fields that are the same in many drafts, encoded once for `continueDraft`. */
export function beginDraft(fields: Partial<AuditDraft>): string {
  return `${JSON.stringify(fields).slice(0, -1)},`
}

/** The same as `encodeDraft`, where some fields were encoded before; `draft` has one more at least. */
export function continueDraft(begun: string, draft: Partial<AuditDraft>): string {
  try {
    return begun + JSON.stringify(draft).slice(1)
  } catch {
    // Arguments that a program gave and JSON cannot say: a BigInt, a circle.
    return begun + JSON.stringify({ ...draft, input: undefined }).slice(1)
  }
}
