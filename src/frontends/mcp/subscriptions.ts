import type { Disposable, View } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import {
  type JsonRpcRequest,
  type RequestId,
  renderNotification,
  renderResponse,
} from '../../wire/json-rpc.ts'
import { metaKeys } from '../../wire/model.ts'

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
  /** `subscriptions/listen` (modern): what the client asked for, each notification marked with the request's id. */
  listen(request: JsonRpcRequest, view: View, subscriber: Subscriber): Disposable
  /** A legacy session's stream: every change. Throws TOO_MANY_STREAMS, as `listen` does. */
  follow(view: View, subscriber: Subscriber): Disposable
  closeAll(): void
}

function refuseLongId(id: RequestId): void {
  if (typeof id === 'number' || id.length <= idCharsMax) return
  throw new WeirError('INVALID_REQUEST', `The id of a subscription has ${id.length} characters.`, {
    hint: `Send one of at most ${idCharsMax}.`,
  })
}

/** Starts without subscribers. */
export function createSubscriptions(): Subscriptions {
  const open = new Map<Subscriber, Disposable & { readonly answerText: string | undefined }>()

  const add = (view: View, subscriber: Subscriber, changed?: string, answerText?: string): Disposable => {
    const changes = changed === undefined ? undefined : view.tools.onChange(() => subscriber.notify(changed))
    const subscription = {
      answerText,
      dispose() {
        changes?.dispose()
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
    listen({ id, params }, view, subscriber) {
      refuseOverflow()
      refuseLongId(id)
      const { notifications } = params
      if (!isObject(notifications)) {
        throw new WeirError('INVALID_PARAMS', '"notifications" must say what to listen for.', {
          hint: 'Send {"toolsListChanged": true}.',
        })
      }
      const wantsTools = notifications['toolsListChanged'] === true
      const _meta = { [metaKeys.subscriptionId]: id }
      subscriber.notify(
        renderNotification('notifications/subscriptions/acknowledged', {
          _meta,
          notifications: wantsTools ? { toolsListChanged: true } : {},
        }),
      )
      const changed = renderNotification('notifications/tools/list_changed', { _meta })
      const answer = renderResponse(id, JSON.stringify({ resultType: 'complete', _meta }))
      return add(view, subscriber, wantsTools ? changed : undefined, answer)
    },
    follow(view, subscriber) {
      refuseOverflow()
      return add(view, subscriber, renderNotification('notifications/tools/list_changed', undefined))
    },
    closeAll() {
      for (const [subscriber, subscription] of [...open]) {
        subscription.dispose()
        subscriber.end(subscription.answerText)
      }
    },
  }
}
