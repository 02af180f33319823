import { WeirError } from '../../../core/error.ts'
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts'
import type { Revision } from '../../../wire/model.ts'
import type { Answer, Exchange } from '../exchange.ts'
import { createToolsRenderer } from '../render-list.ts'
import { listTtlMs, type MethodParts, settleMaxMs } from './method-parts.ts'

/** The methods that list what there is. */
export function createListMethods({ catalog, server }: MethodParts): Record<string, Answer> {
  const renderMembers = (revision: Revision) =>
    `${revision.cacheMembers(listTtlMs, 'private')}${revision.resultMembers(server)}`
  const renderTools = createToolsRenderer(renderMembers)
  const renderEmpty = (member: string, { revision, request }: Exchange) => {
    refuseCursor(request)
    return `{"${member}":[]${renderMembers(revision)}}`
  }
  // Connections get one common grace period from the first list on; after it nobody waits again.
  let settling: Promise<void> | undefined
  let isSettled = false
  const settle = () => {
    settling ??= catalog.settled(settleMaxMs).then(() => {
      isSettled = true
    })
    return settling
  }
  return {
    'tools/list': async (exchange) => {
      if (!isSettled) await settle()
      refuseCursor(exchange.request)
      return renderTools(exchange.view.tools, exchange.revision)
    },
    'resources/list': (exchange) => renderEmpty('resources', exchange),
    'resources/templates/list': (exchange) => renderEmpty('resourceTemplates', exchange),
    'prompts/list': (exchange) => renderEmpty('prompts', exchange),
  }
}

/** Lists have one page, so no cursor is ever ours. */
function refuseCursor({ params }: JsonRpcRequest): void {
  if (params['cursor'] === undefined) return
  throw new WeirError('INVALID_PARAMS', 'The cursor is not one of ours: lists here have one page.', {
    hint: 'Ask without a cursor.',
  })
}
