import type { Entry } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import type { Result } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { CompletionInput, Prompt, Resource, ResourceTemplate } from '../../../core/tool.ts'
import type { Exchange } from '../exchange.ts'
import { renderPlain } from '../rendering/render-result.ts'
import { findSoon } from './find-soon.ts'
import { findPrompt } from './get-prompt.ts'
import type { MethodParts } from './method-parts.ts'
import { readText, readTexts } from './read-params.ts'
import { resourceNotFound } from './read-resource.ts'
import { runTarget } from './run-target.ts'

/** The protocol's own bound; clients refuse a longer list. */
const valuesMax = 100
const nothing: Result = { completion: { values: [], total: 0, hasMore: false } }

/** Answers `completion/complete`. What nobody completes has no values, which is no error. */
export async function complete(parts: MethodParts, exchange: Exchange): Promise<string> {
  const { request, revision } = exchange
  const input = readInput(request.params)
  const owner = await findOwner(parts, exchange, request.params['ref'])
  const render = (result: Result) => renderPlain(cut(result), revision, parts.server)
  if (owner.completion === undefined) return render(nothing)
  return runTarget(parts, exchange, { entry: owner.completion, input }, render)
}

function readInput({ argument, context }: Readonly<Record<string, unknown>>): CompletionInput {
  if (!isObject(argument) || (context !== undefined && !isObject(context))) {
    throw new WeirError('INVALID_PARAMS', '"argument", and "context" if it is there, must be objects.', {
      hint: 'Send {"argument": {"name": "…", "value": "…"}}.',
    })
  }
  const name = readText('argument.name', argument['name'])
  const value = readText('argument.value', argument['value'])
  const others = context?.['arguments']
  return {
    argument: { name, value },
    ...(others === undefined ? {} : { context: { arguments: readTexts('context.arguments', others) } }),
  }
}

/** The prompt, the template by itself, or what answers for a URI. */
async function findOwner(
  parts: MethodParts,
  exchange: Exchange,
  ref: unknown,
): Promise<Entry<Prompt | Resource | ResourceTemplate>> {
  const { type, name, uri } = isObject(ref) ? ref : {}
  if (type === 'ref/prompt') return findPrompt(parts, exchange, name)
  if (type !== 'ref/resource') {
    throw new WeirError('INVALID_PARAMS', '"ref" must name a prompt or a resource.', {
      hint: 'Its type is "ref/prompt", with a name, or "ref/resource", with a uri.',
    })
  }
  const asked = readText('ref.uri', uri)
  const { view } = exchange
  const find = () => view.templates.find(asked) ?? view.resolve(asked)?.entry
  const owner = find() ?? (await findSoon(parts.catalog, find))
  if (owner === undefined) throw resourceNotFound(asked)
  return owner
}

function cut(result: Result): Result {
  const { completion } = result
  if (!isObject(completion) || !Array.isArray(completion['values'])) return result
  const { values } = completion
  if (values.length <= valuesMax) return result
  return { ...result, completion: { ...completion, values: values.slice(0, valuesMax), hasMore: true } }
}
