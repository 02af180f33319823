import { isObject } from '../../../core/parse-json.ts'
import { type JsonSchema, jsonSchema } from '../../../core/schema.ts'
import type { Prompt } from '../../../core/tool.ts'
import { completionOf } from './complete-argument.ts'
import { describeTarget } from './describe-target.ts'
import { getPrompt } from './get-prompt.ts'
import type { Definition } from './read-list.ts'
import type { TargetSettings } from './target-settings.ts'
import type { Listed } from './upstream-list.ts'

const nameCharsMax = 1_024

/** A prompt of the upstream. Throws UPSTREAM_PROTOCOL where it has to be left out, saying why. */
export function toPrompt(name: string, definition: Definition, settings: TargetSettings): Listed<Prompt> {
  const { text, shared } = describeTarget(name, nameCharsMax, definition)
  const { client, timeoutMs } = settings
  const target: Prompt = {
    ...{ ...shared, kind: 'prompt', effect: 'read', timeoutMs },
    input: jsonSchema(describeArguments(definition['arguments'])),
    run: (input, context) => getPrompt(client, name, input, context),
    ...completionOf(name, { type: 'ref/prompt', name }, settings),
  }
  return { text, target }
}

/** Arguments are texts. What the server does not declare it may still take, so that is not refused. */
function describeArguments(declared: unknown): JsonSchema {
  const known = (Array.isArray(declared) ? (declared as readonly unknown[]) : []).filter(isArgument)
  const describe = ({ description }: Argument) =>
    typeof description === 'string' ? { type: 'string', description } : { type: 'string' }
  const required = known.filter((argument) => argument.required === true).map(({ name }) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(known.map((argument) => [argument.name, describe(argument)])),
    additionalProperties: { type: 'string' },
    ...(required.length === 0 ? {} : { required: [...new Set(required)] }),
  }
}

interface Argument {
  readonly name: string
  readonly description?: unknown
  readonly required?: unknown
}

/** No client could send an argument under the one name that is left out: it is refused in every body. */
function isArgument(declared: unknown): declared is Argument {
  return isObject(declared) && typeof declared['name'] === 'string' && declared['name'] !== '__proto__'
}
