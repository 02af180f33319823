import type { Catalog, Disposable, Listing, View } from '../../../core/catalog.ts'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import {
  type JsonRpcRequest,
  type RequestId,
  renderNotification,
  renderResponse,
} from '../../../wire/json-rpc.ts'
import { metaKeys } from '../../../wire/model.ts'
import { findSoon } from '../methods/find-soon.ts'
import type { Session } from '../sessions.ts'
import { coalesce } from './coalesce.ts'
import { createResourceWatches } from './resource-watches.ts'
import { createSessionWatches, type SessionWatches } from './session-watches.ts'
import { everyList, type Filter, grant, type ListFilter, readFilter } from './subscription-filter.ts'

/** Streams open at once, of both eras; one more is refused. */
const streamsMax = 1_000
/** Each subscription keeps its request's id for as long as it lasts, several times over. */
const idCharsMax = 1_000

/** Where a subscriber's notifications go. */
export interface Subscriber {
  notify(messageText: string): void
  /** Called when Weir ends the subscription, with the answer that the protocol has for its request. */
  end(answerText?: string): void
}

/** Everyone who waits for changes, bounded, and ended together at shutdown. */
export interface Subscriptions {
  /** Waits for connections that are still starting, where a resource to listen to may be theirs (R6). */
  prepare(request: JsonRpcRequest, view: View): Promise<void>
  /** `subscriptions/listen` (modern): what the client asked for, each notification marked with the request's id. */
  listen(request: JsonRpcRequest, view: View, subscriber: Subscriber): Disposable
  /** A legacy session's stream: every list, and the resources that the session subscribed to. Throws as `listen` does. */
  follow(session: Pick<Session, 'id' | 'expiresAtMs'>, view: View, subscriber: Subscriber): Disposable
  readonly sessions: Omit<SessionWatches, 'connect' | 'endAll'>
  closeAll(): void
}

/** What subscriptions need of the rest of Weir. */
export interface SubscriptionParts {
  readonly catalog: Pick<Catalog, 'connections' | 'settled'>
  readonly clock: Clock
}

/** Starts without subscribers. */
export function createSubscriptions({ catalog, clock }: SubscriptionParts): Subscriptions {
  const open = new Map<Subscriber, Disposable & { readonly answerText: string | undefined }>()
  const createWatchSet = createResourceWatches()
  const sessions = createSessionWatches(createWatchSet, clock)

  const add = (subscriber: Subscriber, parts: readonly Disposable[], answerText?: string): Disposable => {
    const subscription = {
      answerText,
      dispose() {
        for (const part of parts) part.dispose()
        open.delete(subscriber)
      },
    }
    open.set(subscriber, subscription)
    return subscription
  }
  const refuseOverflow = () => {
    if (open.size < streamsMax) return
    throw new WeirError('TOO_MANY_STREAMS', `${streamsMax} event streams are open already.`, {
      hint: 'Close one, or try again later.',
    })
  }

  return {
    async prepare({ params }, view) {
      const isThere = (uri: string) => view.resolve(uri) !== undefined
      const { resourceSubscriptions } = readFilter(params)
      if (!resourceSubscriptions.every(isThere)) await findSoon(catalog, () => undefined)
    },
    listen({ id, params }, view, subscriber) {
      refuseOverflow()
      refuseLongId(id)
      const filter = readFilter(params)
      const _meta = { [metaKeys.subscriptionId]: id }
      const watches = createWatchSet((uri) =>
        subscriber.notify(renderNotification('notifications/resources/updated', { _meta, uri })),
      )
      const notifications = grantAll(filter, (uri) => watches.add(view, uri), watches)
      subscriber.notify(
        renderNotification('notifications/subscriptions/acknowledged', { _meta, notifications }),
      )
      const lists = followLists(filter, view, (method) =>
        subscriber.notify(renderNotification(method, { _meta })),
      )
      const answer = renderResponse(id, JSON.stringify({ resultType: 'complete', _meta }))
      return add(subscriber, [lists, watches], answer)
    },
    follow(session, view, subscriber) {
      refuseOverflow()
      const lists = followLists(everyList, view, (method) =>
        subscriber.notify(renderNotification(method, undefined)),
      )
      return add(subscriber, [lists, sessions.connect(session, (text) => subscriber.notify(text))])
    },
    sessions,
    closeAll() {
      for (const [subscriber, subscription] of [...open]) {
        subscription.dispose()
        subscriber.end(subscription.answerText)
      }
      sessions.endAll()
    },
  }
}

function refuseLongId(id: RequestId): void {
  if (typeof id === 'number' || id.length <= idCharsMax) return
  throw new WeirError('INVALID_REQUEST', `The id of a subscription has ${id.length} characters.`, {
    hint: `Send one of at most ${idCharsMax}.`,
  })
}

/** Nothing is followed for a subscription that is refused half-way. */
function grantAll(filter: Filter, watch: (uri: string) => boolean, watches: Disposable): object {
  try {
    return grant(filter, watch)
  } catch (thrown) {
    watches.dispose()
    throw thrown
  }
}

/** The notification of each list that changes. Templates have none of their own; they are resources too. */
function followLists(filter: ListFilter, view: View, say: (method: string) => void): Disposable {
  let isOpen = true
  const sayOnce = coalesce((method) => {
    if (isOpen) say(method)
  })
  const follow = (isWanted: boolean, kind: string, ...listings: readonly Pick<Listing, 'onChange'>[]) =>
    isWanted
      ? listings.map((listing) => listing.onChange(() => sayOnce(`notifications/${kind}/list_changed`)))
      : []
  const changes = [
    ...follow(filter.toolsListChanged, 'tools', view.tools),
    ...follow(filter.promptsListChanged, 'prompts', view.prompts),
    ...follow(filter.resourcesListChanged, 'resources', view.resources, view.templates),
  ]
  return {
    dispose() {
      isOpen = false
      for (const change of changes) change.dispose()
    },
  }
}
