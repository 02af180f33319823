import type { Disposable, View } from '../../../core/catalog.ts'
import type { Clock, Timer } from '../../../core/clock.ts'
import { renderNotification } from '../../../wire/json-rpc.ts'
import type { Session } from '../sessions.ts'
import type { CreateWatchSet, WatchSet } from './resource-watches.ts'

type SessionKey = Pick<Session, 'id' | 'expiresAtMs'>

/** What sessions of the old era have subscribed to, and the stream each hears of it on. */
export interface SessionWatches {
  /** False where nothing tells of changes of the URI. Throws OVERLOADED. */
  subscribe(session: SessionKey, view: View, uri: string): boolean
  unsubscribe(session: SessionKey, uri: string): void
  /** A stream of the session. The newest hears, and only it: the protocol forbids to say a thing twice. */
  connect(session: SessionKey, notify: (text: string) => void): Disposable
  /** Forgets all that the session subscribed to. */
  end(sessionId: string): void
  endAll(): void
}

interface Followed {
  readonly watches: WatchSet
  readonly streams: ((text: string) => void)[]
  /** What changed while no stream was open, to be said on the next one: at most what is followed. */
  readonly missed: Set<string>
  readonly expiry: Timer | undefined
}

/**
 * Kept by session id, since a session's object may be made anew at any time. It lasts no longer than the session, and
 * where others need the room no longer than its streams.
 */
export function createSessionWatches(createWatchSet: CreateWatchSet, clock: Clock): SessionWatches {
  const sessions = new Map<string, Followed>()

  const end = (id: string) => {
    const followed = sessions.get(id)
    sessions.delete(id)
    followed?.expiry?.cancel()
    followed?.watches.dispose()
  }
  const open = ({ id, expiresAtMs }: SessionKey): Followed => {
    const known = sessions.get(id)
    if (known !== undefined) return known
    const streams: Followed['streams'] = []
    const missed = new Set<string>()
    const changed = (uri: string) => {
      const newest = streams.at(-1)
      if (newest !== undefined) newest(renderUpdated(uri))
      else missed.add(uri)
    }
    // Clients crash without ending their sessions, which would keep their place for a day.
    const watches = createWatchSet(changed, { isAway: () => streams.length === 0, giveUp: () => end(id) })
    const leftMs = expiresAtMs - clock.now()
    const expiry = Number.isFinite(leftMs) ? clock.setTimer(() => end(id), leftMs) : undefined
    const followed = { watches, streams, missed, expiry }
    sessions.set(id, followed)
    return followed
  }

  /** So that there are no more of them than streams and watches. */
  const endIfIdle = (id: string) => {
    const followed = sessions.get(id)
    if (followed?.streams.length === 0 && followed.watches.size === 0) end(id)
  }

  return {
    subscribe(session, view, uri) {
      try {
        return open(session).watches.add(view, uri)
      } finally {
        endIfIdle(session.id)
      }
    },
    unsubscribe({ id }, uri) {
      const followed = sessions.get(id)
      followed?.watches.delete(uri)
      followed?.missed.delete(uri)
      endIfIdle(id)
    },
    connect(session, notify) {
      const { streams, missed } = open(session)
      streams.push(notify)
      for (const uri of missed) notify(renderUpdated(uri))
      missed.clear()
      return {
        dispose() {
          const at = streams.indexOf(notify)
          if (at !== -1) streams.splice(at, 1)
          endIfIdle(session.id)
        },
      }
    },
    end,
    endAll() {
      for (const id of [...sessions.keys()]) end(id)
    },
  }
}

function renderUpdated(uri: string): string {
  return renderNotification('notifications/resources/updated', { uri })
}
