import type { Listing, View } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import type { Target } from '../../../core/tool.ts'
import type { JsonRpcRequest } from '../../../wire/json-rpc.ts'
import type { Revision } from '../../../wire/model.ts'
import type { Answer } from '../exchange.ts'
import { renderPrompt, renderResource, renderTemplate, renderTool } from '../rendering/render-definition.ts'
import { createListRenderer, type RenderList } from '../rendering/render-list.ts'
import { listTtlMs, type MethodParts, settleMaxMs } from './method-parts.ts'

/** The methods that list what there is. */
export function createListMethods({ catalog, server }: MethodParts): Record<string, Answer> {
  const renderMembers = (revision: Revision) =>
    `${revision.cacheMembers(listTtlMs, 'private')}${revision.resultMembers(server)}`
  // Connections get one common grace period from the first list on; after it nobody waits again.
  let settling: Promise<void> | undefined
  let isSettled = false
  const settle = () => {
    settling ??= catalog.settled(settleMaxMs).then(() => {
      isSettled = true
    })
    return settling
  }
  const list =
    <T extends Target>(render: RenderList<T>, listingOf: (view: View) => Listing<T>): Answer =>
    async ({ request, view, revision }) => {
      if (!isSettled) await settle()
      refuseCursor(request)
      return render(listingOf(view), revision)
    }
  const tools = createListRenderer('tools', renderTool, renderMembers)
  const resources = createListRenderer('resources', renderResource, renderMembers)
  const templates = createListRenderer('resourceTemplates', renderTemplate, renderMembers)
  const prompts = createListRenderer('prompts', renderPrompt, renderMembers)
  return {
    'tools/list': list(tools, (view) => view.tools),
    'resources/list': list(resources, (view) => view.resources),
    'resources/templates/list': list(templates, (view) => view.templates),
    'prompts/list': list(prompts, (view) => view.prompts),
  }
}

/** Lists have one page, so no cursor is ever ours. */
function refuseCursor({ params }: JsonRpcRequest): void {
  if (params['cursor'] === undefined) return
  throw new WeirError('INVALID_PARAMS', 'The cursor is not one of ours: lists here have one page.', {
    hint: 'Ask without a cursor.',
  })
}
