import type { Entry } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import type { Prompt } from '../../../core/tool.ts'
import type { Exchange } from '../exchange.ts'
import { renderPlain } from '../rendering/render-result.ts'
import { findSoon } from './find-soon.ts'
import type { MethodParts } from './method-parts.ts'
import { readText, readTexts } from './read-params.ts'
import { runTarget } from './run-target.ts'

/** Answers `prompts/get`. */
export async function getPrompt(parts: MethodParts, exchange: Exchange): Promise<string> {
  const { request, revision } = exchange
  const input = readTexts('arguments', request.params['arguments'])
  const entry = await findPrompt(parts, exchange, request.params['name'])
  return runTarget(parts, exchange, { entry, input }, (result) => renderPlain(result, revision, parts.server))
}

/** Throws PROMPT_NOT_FOUND. */
export async function findPrompt(
  { catalog }: MethodParts,
  { view }: Exchange,
  given: unknown,
): Promise<Entry<Prompt>> {
  const name = readText('name', given)
  const entry = view.prompts.find(name) ?? (await findSoon(catalog, () => view.prompts.find(name)))
  if (entry !== undefined) return entry
  throw new WeirError('PROMPT_NOT_FOUND', `There is no prompt ${JSON.stringify(name.slice(0, 200))}.`, {
    hint: 'prompts/list names those there are.',
  })
}
