import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { Tool } from '../../core/tool.ts'
import { createApiBatchRequest } from './api-batch-request.ts'
import type { Apis } from './apis.ts'
import { createHttpRequest } from './http-request.ts'
import { createHttpRequestPages } from './pages/http-request-pages.ts'
import type { CompileSchema } from './typed/model.ts'
import { createTypedTools } from './typed/typed-tools.ts'

/** What tools are made with. */
export interface OwnToolsParts {
  readonly clock: Clock
  readonly compileSchema: CompileSchema
}

/**
 * The tools that the configuration alone describes: those for any API, those of single APIs, and `more`. Several APIs
 * share one space of names: throws CONFIG_INVALID where two tools would have the same.
 */
export function createOwnTools(
  apis: Apis,
  more: readonly Tool[],
  { clock, compileSchema }: OwnToolsParts,
): readonly Tool[] {
  const typed = apis.list().flatMap((api) => createTypedTools(api, compileSchema))
  return refuseRepeats([...createGeneralTools(apis, clock), ...typed, ...more])
}

function createGeneralTools(apis: Apis, clock: Clock): readonly Tool[] {
  if (apis.list().length === 0) return []
  const systems = { field: 'api_name', names: apis.list().map(({ name }) => name) }
  return [
    createHttpRequest(apis),
    createApiBatchRequest(apis, clock),
    createHttpRequestPages(apis, clock),
  ].map((tool) => ({ ...tool, systems }) as Tool)
}

function refuseRepeats(tools: readonly Tool[]): readonly Tool[] {
  const names = tools.map(({ name }) => name)
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated === undefined) return tools
  throw new WeirError('CONFIG_INVALID', `Two tools of this connection have the name ${repeated}.`, {
    hint: 'Give one of them another name, with `tool`, or by its key under `calls`.',
    data: { tool: repeated },
  })
}
