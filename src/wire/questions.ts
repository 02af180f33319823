import { isObject } from '../core/parse-json.ts'
import { type Capabilities, type Revision, tasksExtension, withoutExtension } from './model.ts'

/** A request of a server to its client: in the old era pushed, in the new one part of a result. */
export interface Question {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Which capability a client must have declared to be asked each kind of question. */
const capabilityOf: Readonly<Record<string, 'elicitation' | 'sampling' | 'roots'>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
}

/** Whether a server may send this to its client at all. */
export function isQuestion(method: string): boolean {
  return Object.hasOwn(capabilityOf, method)
}

/** A question as an upstream wrote it, which may be anything. */
export function readQuestion(value: unknown): Question | undefined {
  if (!isObject(value) || typeof value['method'] !== 'string' || !isQuestion(value['method']))
    return undefined
  return { method: value['method'], params: isObject(value['params']) ? value['params'] : {} }
}

/** What a client would have to declare besides to be asked this; undefined where it has declared enough. */
export function missingCapability(
  { method, params }: Question,
  capabilities: Capabilities,
): Capabilities | undefined {
  const name = capabilityOf[method]
  if (name === undefined) return undefined
  const declared = capabilities[name]
  const detail = detailOf(method, params)
  if (declared === undefined || declared === null)
    return { [name]: detail === undefined || detail === 'form' ? {} : { [detail]: {} } }
  if (detail === undefined || (isObject(declared) && declared[detail] !== undefined)) return undefined
  // Forms were all there was when elicitation was new, so whoever names no way of asking means them.
  const meansForms = !isObject(declared) || declared['url'] === undefined
  return detail === 'form' && meansForms ? undefined : { [name]: { [detail]: {} } }
}

/** The part of the capability that a question needs beside its name. */
function detailOf(method: string, params: Question['params']): 'form' | 'url' | 'tools' | undefined {
  if (method === 'elicitation/create') return params['mode'] === 'url' ? 'url' : 'form'
  const usesTools = params['tools'] !== undefined || params['toolChoice'] !== undefined
  return method === 'sampling/createMessage' && usesTools ? 'tools' : undefined
}

/**
 * What of the declared capabilities a legacy client's revision can carry: before 2025-11-25 there were forms only, and no
 * tools; and none of them knows a result that is a task.
 */
export function narrowCapabilities(declared: Capabilities, { version }: Revision): Capabilities {
  const carried = withoutExtension(declared, tasksExtension)
  if (version >= '2025-11-25') return carried
  const { elicitation, sampling, ...rest } = carried
  const hasForms = elicitation !== undefined && version >= '2025-06-18'
  return {
    ...rest,
    ...(hasForms ? { elicitation: {} } : {}),
    ...(sampling === undefined ? {} : { sampling: {} }),
  }
}

/** The capabilities of a client that cannot be reached while its call runs. */
export function withoutQuestions(declared: Capabilities): Capabilities {
  const { elicitation: _, sampling: __, roots: ___, ...rest } = declared
  return rest
}
