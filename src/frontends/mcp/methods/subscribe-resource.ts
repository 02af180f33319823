import { WeirError } from '../../../core/error.ts'
import type { Exchange } from '../exchange.ts'
import type { Session } from '../sessions.ts'
import type { MethodParts } from './method-parts.ts'
import { readText } from './read-params.ts'
import { resolveUri } from './read-resource.ts'

/** Answers `resources/subscribe`, which the new era says in `subscriptions/listen` instead. */
export async function subscribeResource(parts: MethodParts, exchange: Exchange): Promise<string> {
  const session = sessionOf(exchange)
  const uri = readText('uri', exchange.request.params['uri'])
  await resolveUri(parts, exchange, uri)
  if (parts.subscriptions.sessions.subscribe(session, exchange.view, uri)) return '{}'
  throw new WeirError('INVALID_PARAMS', `Nothing tells of changes of ${JSON.stringify(uri.slice(0, 200))}.`, {
    hint: 'Read it again instead.',
  })
}

/** Answers `resources/unsubscribe`; what was not subscribed to is no error, since it may have gone by itself. */
export function unsubscribeResource(parts: MethodParts, exchange: Exchange): string {
  const session = sessionOf(exchange)
  parts.subscriptions.sessions.unsubscribe(session, readText('uri', exchange.request.params['uri']))
  return '{}'
}

function sessionOf({ session, request }: Exchange): Session {
  if (session !== undefined) return session
  throw new WeirError('INVALID_REQUEST', `${request.method} needs a session, to know whom to tell.`, {
    hint: 'Send initialize first, and its Mcp-Session-Id with each request.',
  })
}
