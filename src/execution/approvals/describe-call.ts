import type { ApprovalRequest } from '../../core/approval.ts'
import type { Call } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import { isObject } from '../../core/parse-json.ts'
import { toJsonSchema } from '../../core/schema.ts'
import { isSensitiveKey } from '../../core/sensitive-key.ts'
import { digestJson } from '../digest-json.ts'

/** As much as a person can be expected to read, in characters. */
const shownMax = 8_000

/** Says of a target's calls what somebody agrees to. The definition is read at the first call, once. */
export function createCallReader(
  entry: Entry,
  redact: (text: string) => string,
): (call: Call) => ApprovalRequest {
  let definitionHash: string | undefined
  return ({ input, caller }) => {
    definitionHash ??= hashDefinition(entry)
    const { tenant, subject } = caller
    return {
      ...{ tool: entry.id, definitionHash, digest: digestJson(input) },
      ...{ shown: show(input, redact), caller: { tenant, subject } },
    }
  }
}

/** What the tool says it does: a tool that is changed after the approval is another tool. */
function hashDefinition({ id, target }: Entry): string {
  const { name, description, effect, definition } = target
  return digestJson({ id, name, description, effect, definition, input: toJsonSchema(target.input) })
}

/** What is left out is said to be, with how much it is: nobody must agree to what they do not know of. */
function show(input: unknown, redact: (text: string) => string): string {
  const text = redact(JSON.stringify(cover(input)) ?? 'null')
  if (text.length <= shownMax) return text
  return `${text.slice(0, shownMax)}… (${shownMax} of ${text.length} characters)`
}

function cover(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cover)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isSensitiveKey(key) ? '[redacted]' : cover(inner)]),
  )
}
