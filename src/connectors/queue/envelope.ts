import { randomUUID } from 'node:crypto'
import { isObject, parseJson } from '../../core/parse-json.ts'

/** What lies in a queue (D0-074). Keys stand in the documents' own order. */
export interface Envelope {
  readonly payload: unknown
  readonly priority: number
  /** Wall-clock milliseconds, so that it means the same everywhere (B-18). */
  readonly timestamp: number
  /** A UUID, so that ids never collide (B-18). */
  readonly id: string
}

/** What a received body says. Programs that know no envelope put anything into a queue: it is all payload then. */
export interface ReadEnvelope {
  readonly payload: unknown
  readonly priority?: number
  /** As its sender wrote it: programs of the documents' time have a unit of their own. */
  readonly timestamp?: number
  readonly id?: string
}

/** A new envelope around what a caller sends. */
export function createEnvelope(payload: unknown, priority: number, nowMs: number): Envelope {
  return { payload, priority, timestamp: nowMs, id: randomUUID() }
}

/** Reads whatever another program may have sent: an envelope, other JSON, text, or bytes as `{"$bytes": "<base64>"}`. */
export function parseEnvelope(body: Uint8Array): ReadEnvelope {
  const value = parseBody(body)
  if (!isObject(value) || !Object.hasOwn(value, 'payload')) return { payload: value }
  const { payload, priority, timestamp, id } = value
  return {
    payload,
    ...(typeof priority === 'number' ? { priority } : {}),
    ...(typeof timestamp === 'number' ? { timestamp } : {}),
    ...(typeof id === 'string' ? { id } : {}),
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseBody(body: Uint8Array): unknown {
  const text = decodeText(body)
  if (text === undefined) return { $bytes: Buffer.from(body).toString('base64') }
  try {
    return parseJson(text)
  } catch {
    // No JSON, or more of it than Weir takes from outside: shown as the text it is.
    return text
  }
}

function decodeText(body: Uint8Array): string | undefined {
  try {
    return utf8.decode(body)
  } catch {
    return undefined
  }
}
