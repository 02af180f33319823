import type { CallNote } from '../../core/call.ts'
import type { Caller } from '../../core/caller.ts'
import type { Catalog, Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import { pointerForm } from '../../core/json-pointer.ts'
import { isObject } from '../../core/parse-json.ts'
import { mayUse } from '../../core/permission.ts'
import type { Tool } from '../../core/tool.ts'
import { followDelegate } from '../shared/follow-delegate.ts'

/** One tool to run, as asked for. */
export interface ToolRequest {
  readonly slug: string
  readonly input: Readonly<Record<string, unknown>>
  /** Arguments that the answer of the tool before gives, each by a JSON Pointer into it (D4-045). */
  readonly previous?: Readonly<Record<string, string>>
}

/** `POST /mcp/execute` (D4-013). */
export interface ExecuteRequest {
  readonly tools: readonly ToolRequest[]
  readonly requestId: string | undefined
  /** Side by side, not one after another (D4-044). */
  readonly isParallel: boolean
  /** `thought` and `current_step`: for the audit (D4-019, B-122). */
  readonly note: CallNote | undefined
}

/** A tool that is there, and the input for it: where the one that was asked for stands for another, that other's. */
export interface FoundTool extends ToolRequest {
  readonly entry: Entry<Tool>
}

/** Tools in one request. */
const toolsMax = 100
const requestIdLengthMax = 200
const settleMaxMs = 2_000

/** The fields of the document. What Weir does not do yet is refused rather than passed over. */
const knownFields = new Set([
  ...['tools', 'parallel', 'sync_response_to_workbench', 'thought', 'current_step', 'request_id'],
])

/** Throws INVALID_REQUEST naming what is wrong, before anything runs. */
export function readExecuteRequest(body: unknown): ExecuteRequest {
  if (!isObject(body)) throw invalid('The body must be an object.')
  for (const field of Object.keys(body))
    if (!knownFields.has(field)) throw invalid(`There is no field ${quote(field)}.`)
  const { tools, request_id: requestId } = body
  if (!Array.isArray(tools) || tools.length === 0)
    throw invalid('"tools" must be a list with at least one item.')
  if (tools.length > toolsMax)
    throw invalid(`"tools" holds ${tools.length} items.`, `Send at most ${toolsMax}.`)
  for (const field of ['thought', 'current_step', 'request_id']) {
    const value = body[field] ?? undefined
    if (value !== undefined && typeof value !== 'string') throw invalid(`"${field}" must be a string.`)
  }
  if (typeof requestId === 'string' && requestId.length > requestIdLengthMax)
    throw invalid('"request_id" is too long.')
  if ((body['sync_response_to_workbench'] ?? false) !== false) {
    throw invalid('"sync_response_to_workbench" can only be false.', 'Leave it out: responses come whole.')
  }
  const isParallel = body['parallel'] ?? false
  if (typeof isParallel !== 'boolean') throw invalid('"parallel" must be true or false.')
  return {
    isParallel,
    tools: tools.map((tool, index) => readTool(tool, index, isParallel)),
    requestId: typeof requestId === 'string' && requestId !== '' ? requestId : undefined,
    note: readNote(body['thought'], body['current_step']),
  }
}

/** Both were found to be text, null or absent. */
function readNote(thought: unknown, step: unknown): CallNote | undefined {
  if (typeof thought !== 'string' && typeof step !== 'string') return undefined
  return {
    ...(typeof thought === 'string' ? { thought } : {}),
    ...(typeof step === 'string' ? { step } : {}),
  }
}

/** B-145: `arguments` may be left out. */
function readTool(tool: unknown, index: number, isParallel: boolean): ToolRequest {
  if (!isObject(tool) || typeof tool['tool_slug'] !== 'string') {
    throw invalid(`tools[${index}] must be an object with a "tool_slug".`)
  }
  const { tool_slug: slug, arguments: input = {}, use_previous_result: wanted, ...rest } = tool
  if (!isObject(input)) throw invalid(`tools[${index}].arguments must be an object.`)
  const unknown = Object.keys(rest)[0]
  if (unknown !== undefined) throw invalid(`tools[${index}] has no field ${quote(unknown)}.`)
  const previous = readPrevious(wanted ?? undefined, index, isParallel)
  return { slug, input, ...(previous === undefined ? {} : { previous }) }
}

/** `true` stands for the whole answer as the argument `previous_result`. */
function readPrevious(
  wanted: unknown,
  index: number,
  isParallel: boolean,
): Readonly<Record<string, string>> | undefined {
  if (wanted === undefined || wanted === false) return undefined
  const what = `tools[${index}].use_previous_result`
  if (index === 0 || isParallel) throw invalid(`${what} has no tool before it.`)
  if (wanted === true) return { previous_result: '' }
  const isMapping =
    isObject(wanted) &&
    Object.values(wanted).every((pointer) => typeof pointer === 'string' && pointerForm.test(pointer))
  if (!isMapping) throw invalid(`${what} must be true, or arguments with a JSON Pointer each.`)
  return wanted as Record<string, string>
}

/** A name of the caller's own, which can be as long as its body. */
function quote(name: string): string {
  return JSON.stringify(name.length <= 100 ? name : `${name.slice(0, 99)}…`)
}

function invalid(message: string, hint = 'See POST /mcp/execute in the reference.'): WeirError {
  return new WeirError('INVALID_REQUEST', message, { hint })
}

/** Finds every tool before any runs: a request with a wrong name changes nothing. */
export async function findTools(
  catalog: Catalog,
  tools: readonly ToolRequest[],
  caller: Caller,
): Promise<readonly FoundTool[]> {
  const isKnown = ({ slug }: ToolRequest) =>
    catalog.find(slug) !== undefined || catalog.candidates(slug).length > 0
  if (!tools.every(isKnown)) await catalog.settled(settleMaxMs)
  return tools.map(({ slug, input, previous }) => {
    const asked = { entry: findTool(catalog, slug, caller), input }
    return { slug, ...followDelegate(asked, caller), ...(previous === undefined ? {} : { previous }) }
  })
}

/** By its exact id, or by its bare name where only one tool that the caller may use has it (C-03, B-139). */
function findTool(catalog: Catalog, slug: string, caller: Caller): Entry<Tool> {
  const exact = catalog.find(slug)
  if (exact !== undefined) return exact
  const all = catalog.candidates(slug)
  const usable = all.filter((id) => mayUse(caller, catalog.find(id)!))
  // Where none may be used, the one that is named is refused, which says why.
  const [only, ...others] = usable.length > 0 ? usable : all.slice(0, 1)
  if (only === undefined) {
    throw new WeirError('TOOL_NOT_FOUND', `Tool '${slug.slice(0, 200)}' not found`, {
      hint: 'GET /mcp/discover names those there are.',
    })
  }
  if (others.length > 0) {
    throw new WeirError(
      'TOOL_AMBIGUOUS',
      `Several tools are called '${slug}': ${[only, ...others].join(', ')}.`,
      {
        hint: 'Use one of these ids.',
        data: { candidates: [only, ...others] },
      },
    )
  }
  return catalog.find(only)!
}
