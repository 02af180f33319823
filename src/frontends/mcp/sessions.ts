import { randomBytes } from 'node:crypto'
import type { Caller } from '../../core/caller.ts'
import type { Cancellation } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import type { RequestId } from '../../wire/json-rpc.ts'
import type { Capabilities, Revision } from '../../wire/model.ts'
import { findRevision } from '../../wire/revisions/index.ts'
import type { Seal } from '../shared/seal.ts'

/** What an old-era client settled at `initialize`. */
export interface Session {
  readonly id: string
  /** When it ends by itself, on the wall clock; never where it is a pipe's. */
  readonly expiresAtMs: number
  readonly revision: Revision
  readonly clientCapabilities: Capabilities
  /** Set by `logging/setLevel`; until then everything an upstream logs is passed on. */
  logLevel: string | undefined
  /** Calls that `notifications/cancelled` can name. */
  readonly running: Map<RequestId, Cancellation>
  /** Ends each of the session's open streams. */
  readonly streams: Set<() => void>
}

/** Old-era sessions: their ids are sealed data, so that any replica that has the key can serve them (protocol.md). */
export interface Sessions {
  /** A new session's id. */
  create(revision: Revision, clientCapabilities: Capabilities, caller: Caller): string
  /** The session behind an id. Throws SESSION_NOT_FOUND, on which clients initialise anew. */
  find(id: string, caller: Caller): Session
  /** Ends it, its calls and its streams; its id is refused until it would have expired. */
  end(id: string, caller: Caller): void
}

const sessionTtlMs = 24 * 60 * 60 * 1000
/** Opened ids kept at hand; one that falls out, an idle one first, is simply opened again. */
const openedMax = 10_000
/** Ended ids remembered; beyond it the oldest is forgotten, and would work until it expires. */
const endedMax = 100_000
/** The id travels in a header, so capabilities that would not fit are cut down to their names. */
const capabilitiesLengthMax = 2_000

interface SealedSession {
  readonly v: string
  readonly c: Capabilities
  readonly s: string
  readonly t: string
  readonly e: number
}

/** Sessions whose ids this seal makes and opens. */
export function createSessions(seal: Seal, clock: Clock): Sessions {
  const opened = new Map<string, { readonly session: Session; readonly sealed: SealedSession }>()
  const ended = new Set<string>()

  /** A session whose calls or streams are open stays, or nothing could end them: it goes to the back of the queue. */
  const makeRoom = () => {
    // One more than there are: where all are in use, the oldest goes.
    let turns = opened.size < openedMax ? 0 : openedMax + 1
    for (const [id, one] of opened) {
      if (turns === 0) return
      turns -= 1
      opened.delete(id)
      if (turns === 0 || !isInUse(one.session)) return
      opened.set(id, one)
    }
  }

  const open = (id: string) => {
    const sealed = seal.open(id)
    if (!isSealedSession(sealed)) return undefined
    const revision = findRevision(sealed.v)
    if (revision === undefined) return undefined
    const session: Session = {
      id,
      expiresAtMs: sealed.e,
      revision,
      clientCapabilities: sealed.c,
      logLevel: undefined,
      running: new Map(),
      streams: new Set(),
    }
    const found = { session, sealed }
    makeRoom()
    opened.set(id, found)
    return found
  }

  return {
    create(revision, clientCapabilities, caller) {
      const sealed: SealedSession & { n: string } = {
        v: revision.version,
        c: shorten(clientCapabilities),
        s: caller.subject,
        t: caller.tenant,
        e: clock.now() + sessionTtlMs,
        n: randomBytes(9).toString('base64url'),
      }
      return seal.seal(sealed)
    },
    find(id, caller) {
      const found = ended.has(id) ? undefined : (opened.get(id) ?? open(id))
      // Another caller's session answers as if it did not exist.
      if (found === undefined || found.sealed.s !== caller.subject || found.sealed.t !== caller.tenant) {
        throw sessionNotFound()
      }
      if (found.sealed.e <= clock.now()) throw sessionNotFound()
      return found.session
    },
    end(id, caller) {
      const { running, streams } = this.find(id, caller)
      for (const call of running.values()) call.cancel(new WeirError('CANCELLED', 'The session was ended.'))
      for (const endStream of [...streams]) endStream()
      opened.delete(id)
      const oldest = ended.size < endedMax ? undefined : ended.values().next().value
      if (oldest !== undefined) ended.delete(oldest)
      ended.add(id)
    },
  }
}

function isInUse({ running, streams }: Session): boolean {
  return running.size > 0 || streams.size > 0
}

function sessionNotFound(): WeirError {
  return new WeirError('SESSION_NOT_FOUND', 'The session does not exist or has ended.', {
    hint: 'Send initialize to begin a new one.',
  })
}

function isSealedSession(value: unknown): value is SealedSession {
  return (
    isObject(value) &&
    typeof value['v'] === 'string' &&
    typeof value['e'] === 'number' &&
    isObject(value['c'])
  )
}

function shorten(capabilities: Capabilities): Capabilities {
  if (JSON.stringify(capabilities).length <= capabilitiesLengthMax) return capabilities
  return Object.fromEntries(
    Object.keys(capabilities)
      .filter((name) => name.length <= 64)
      .slice(0, 16)
      .map((name) => [name, {}]),
  )
}
