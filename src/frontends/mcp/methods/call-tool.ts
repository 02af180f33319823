import type { Entry } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Tool } from '../../../core/tool.ts'
import { followDelegate } from '../../shared/follow-delegate.ts'
import type { Exchange } from '../exchange.ts'
import { readUrlElicitation } from '../questions/read-url-elicitation.ts'
import { renderFailure, renderResult } from '../rendering/render-result.ts'
import { findSoon } from './find-soon.ts'
import type { MethodParts } from './method-parts.ts'
import { readText } from './read-params.ts'
import { runTarget } from './run-target.ts'

/** Answers `tools/call`. A tool that fails is a result too, so that the model can react; misuse of the protocol is thrown. */
export async function callTool(parts: MethodParts, exchange: Exchange): Promise<string> {
  const { request, revision } = exchange
  const { name, arguments: input = {} } = request.params
  const entry = await findTool(parts, exchange, name)
  if (!isObject(input)) {
    throw new WeirError('INVALID_PARAMS', '"arguments" must be an object.', {
      hint: 'Leave it out for none.',
    })
  }
  exchange.checkInput?.(entry, input)
  try {
    const asked = followDelegate({ entry, input }, exchange.caller)
    return await runTarget(parts, exchange, asked, (result) => renderResult(result, revision, parts.server))
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || thrown.spec.mcp !== 'isError') throw thrown
    // The one failure of a tool that clients of the old era know as an error: they open the URL and call again.
    if (revision.era === 'legacy' && readUrlElicitation(thrown) !== undefined) throw thrown
    return renderFailure(thrown, entry.target, revision, parts.server)
  }
}

async function findTool({ catalog }: MethodParts, { view }: Exchange, given: unknown): Promise<Entry<Tool>> {
  const name = readText('name', given)
  const entry = view.tools.find(name) ?? (await findSoon(catalog, () => view.tools.find(name)))
  if (entry !== undefined) return entry
  throw new WeirError('TOOL_NOT_FOUND', `Tool ${JSON.stringify(name.slice(0, 200))} not found.`, {
    hint: 'tools/list names those there are.',
  })
}
