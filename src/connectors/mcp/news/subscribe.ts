import { isObject } from '../../../core/parse-json.ts'
import type { JsonRpcNotification } from '../../../wire/json-rpc.ts'
import type { Client } from '../client.ts'
import { methodNotFound, upstreamCode } from '../upstream-error.ts'

/** What a modern server is asked to tell of, in the protocol's own words. */
export interface NewsFilter {
  readonly toolsListChanged?: true
  readonly promptsListChanged?: true
  readonly resourcesListChanged?: true
  readonly resourceSubscriptions?: readonly string[]
}

/**
 * Opens a stream of news at a modern server and waits for its end. `onReady` is called when the server has begun to tell
 * of at least one of the things. `unsupported`: of none of them, ever.
 */
export async function subscribe(
  client: Client,
  filter: NewsFilter,
  signal: AbortSignal,
  onReady: () => void = () => {},
): Promise<'ended' | 'unsupported'> {
  if (Object.keys(filter).length === 0) return 'unsupported'
  const ended = new AbortController()
  let refused = false
  const onNotification = ({ method, params }: JsonRpcNotification) => {
    if (method === 'notifications/cancelled') ended.abort()
    if (method !== 'notifications/subscriptions/acknowledged') return
    const granted = params['notifications']
    refused = isObject(granted) && Object.keys(filter).every((key) => granted[key] === undefined)
    if (refused) ended.abort()
    else onReady()
  }
  const listening = AbortSignal.any([signal, ended.signal])
  try {
    const options = { signal: listening, silenceMs: 0, onNotification }
    await client.request('subscriptions/listen', { notifications: filter }, options)
  } catch (error) {
    if (upstreamCode(error) === methodNotFound) return 'unsupported'
    if (!ended.signal.aborted) throw error
  }
  return refused ? 'unsupported' : 'ended'
}
