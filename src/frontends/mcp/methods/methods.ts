import { WeirError } from '../../../core/error.ts'
import type { Revision } from '../../../wire/model.ts'
import type { Answer } from '../exchange.ts'
import { callTool } from './call-tool.ts'
import { discover } from './discover.ts'
import { createListMethods } from './list-methods.ts'
import type { MethodParts } from './method-parts.ts'
import { setLevel } from './set-level.ts'

/** The methods a client may call, by era. */
export function createAnswer(parts: MethodParts): Answer {
  const list = createListMethods(parts)
  const call: Answer = (exchange) => callTool(parts, exchange)
  const shared: Record<string, Answer> = {
    ...list,
    'tools/call': call,
    'resources/read': ({ request }) => {
      throw new WeirError(
        'RESOURCE_NOT_FOUND',
        `There is no resource ${JSON.stringify(request.params['uri'])}.`,
        {
          hint: 'resources/list names those there are.',
          data: { uri: request.params['uri'] },
        },
      )
    },
    'prompts/get': ({ request }) => {
      throw new WeirError(
        'PROMPT_NOT_FOUND',
        `There is no prompt ${JSON.stringify(request.params['name'])}.`,
        {
          hint: 'prompts/list names those there are.',
        },
      )
    },
  }
  const eras: Record<Revision['era'], ReadonlyMap<string, Answer>> = {
    modern: new Map(
      Object.entries({ ...shared, 'server/discover': (exchange) => discover(parts, exchange) }),
    ),
    legacy: new Map(Object.entries({ ...shared, ping: () => '{}', 'logging/setLevel': setLevel })),
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
