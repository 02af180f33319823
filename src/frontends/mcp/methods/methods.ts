import { WeirError } from '../../../core/error.ts'
import type { Revision } from '../../../wire/model.ts'
import type { Answer } from '../exchange.ts'
import { callTool } from './call-tool.ts'
import { complete } from './complete.ts'
import { discover } from './discover.ts'
import { getPrompt } from './get-prompt.ts'
import { createListMethods } from './list-methods.ts'
import type { MethodParts } from './method-parts.ts'
import { readResource } from './read-resource.ts'
import { setLevel } from './set-level.ts'
import { subscribeResource, unsubscribeResource } from './subscribe-resource.ts'
import { createTaskMethods } from './tasks.ts'

/** The methods a client may call, by era. */
export function createAnswer(parts: MethodParts): Answer {
  const shared: Record<string, Answer> = {
    ...createListMethods(parts),
    'tools/call': (exchange) => callTool(parts, exchange),
    'resources/read': (exchange) => readResource(parts, exchange),
    'prompts/get': (exchange) => getPrompt(parts, exchange),
    'completion/complete': (exchange) => complete(parts, exchange),
  }
  const eras: Record<Revision['era'], ReadonlyMap<string, Answer>> = {
    modern: new Map(
      Object.entries({
        ...shared,
        'server/discover': (exchange) => discover(parts, exchange),
        ...createTaskMethods(parts),
      }),
    ),
    legacy: new Map(
      Object.entries({
        ...shared,
        ping: () => '{}',
        'logging/setLevel': setLevel,
        'resources/subscribe': (exchange) => subscribeResource(parts, exchange),
        'resources/unsubscribe': (exchange) => unsubscribeResource(parts, exchange),
      }),
    ),
  }
  return (exchange) => {
    const { revision, request } = exchange
    const method = eras[revision.era].get(request.method)
    if (method === undefined) {
      throw new WeirError(
        'METHOD_NOT_FOUND',
        `Revision ${revision.version} has no method ${request.method} here.`,
      )
    }
    return method(exchange)
  }
}
