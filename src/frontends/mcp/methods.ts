import type { Call, Executor } from '../../core/call.ts'
import type { Catalog, Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import { type LogLevel, logLevels } from '../../core/event.ts'
import type { InputAnswers, InputRequired } from '../../core/outcome.ts'
import { isObject } from '../../core/parse-json.ts'
import type { Tool } from '../../core/tool.ts'
import type { JsonRpcRequest } from '../../wire/json-rpc.ts'
import type { Implementation, RequestMeta, Revision } from '../../wire/model.ts'
import { supportedVersions } from '../../wire/revisions/index.ts'
import { nextCallId } from '../shared/next-call-id.ts'
import { createEmit, wantedLogLevel } from './emit.ts'
import type { Answer, Exchange } from './exchange.ts'
import { createToolsRenderer } from './render-list.ts'
import { renderFailure, renderResult } from './render-result.ts'
import type { RequestStates, StateBinding } from './request-state.ts'

/** What the methods are built from. */
export interface MethodParts {
  readonly catalog: Catalog
  readonly executor: Executor
  readonly states: RequestStates
  /** Who Weir says it is. The same object always: rendered members are kept by it. */
  readonly server: Implementation
  readonly instructions: string
}

/** Lists are cheap to ask for again, and change notifications are the better signal. */
const listTtlMs = 5_000
/** How long the first list waits for connections that are still starting (R6). */
const settleMaxMs = 2_000

/** What Weir says it can do. Resources and prompts are answered with empty lists, because no connection offers any. */
export const serverCapabilities = {
  tools: { listChanged: true },
  resources: {},
  prompts: {},
  logging: {},
} as const

/** The methods a client may call, by era. */
export function createAnswer(parts: MethodParts): Answer {
  const list = createListMethods(parts)
  const call: Answer = (exchange) => callTool(parts, exchange)
  const shared: Record<string, Answer> = {
    ...list,
    'tools/call': call,
    'resources/read': ({ request }) => {
      throw new WeirError(
        'RESOURCE_NOT_FOUND',
        `There is no resource ${JSON.stringify(request.params['uri'])}.`,
        {
          hint: 'resources/list names those there are.',
          data: { uri: request.params['uri'] },
        },
      )
    },
    'prompts/get': ({ request }) => {
      throw new WeirError(
        'PROMPT_NOT_FOUND',
        `There is no prompt ${JSON.stringify(request.params['name'])}.`,
        {
          hint: 'prompts/list names those there are.',
        },
      )
    },
  }
  const eras: Record<Revision['era'], ReadonlyMap<string, Answer>> = {
    modern: new Map(
      Object.entries({ ...shared, 'server/discover': (exchange) => discover(parts, exchange) }),
    ),
    legacy: new Map(Object.entries({ ...shared, ping: () => '{}', 'logging/setLevel': setLevel })),
  }
  return (exchange) => {
    const { revision, request } = exchange
    const method = eras[revision.era].get(request.method)
    if (method === undefined) {
      throw new WeirError(
        'METHOD_NOT_FOUND',
        `Revision ${revision.version} has no method ${request.method} here.`,
      )
    }
    return method(exchange)
  }
}

function discover({ server, instructions }: MethodParts, { revision }: Exchange): string {
  const body = JSON.stringify({ supportedVersions, capabilities: serverCapabilities, instructions })
  return `${body.slice(0, -1)}${revision.cacheMembers(listTtlMs, 'private')}${revision.resultMembers(server)}}`
}

function createListMethods({ catalog, server }: MethodParts): Record<string, Answer> {
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

function setLevel({ request, session }: Exchange): string {
  const { level } = request.params
  if (!logLevels.includes(level as LogLevel)) {
    throw new WeirError('INVALID_PARAMS', `There is no log level ${JSON.stringify(level)}.`, {
      hint: `The levels are ${logLevels.join(', ')}.`,
    })
  }
  if (session !== undefined) session.logLevel = level as LogLevel
  return '{}'
}

async function callTool(parts: MethodParts, exchange: Exchange): Promise<string> {
  const { request, revision, caller } = exchange
  const { name, arguments: input = {} } = request.params
  const entry = await findTool(parts, exchange, name)
  if (!isObject(input)) {
    throw new WeirError('INVALID_PARAMS', '"arguments" must be an object.', {
      hint: 'Leave it out for none.',
    })
  }
  exchange.checkInput?.(entry, input)
  const binding: StateBinding = { caller, id: entry.id, input }
  const outcome = await parts.executor.execute(createCall(parts, exchange, entry, binding))
  switch (outcome.kind) {
    case 'complete':
      return renderResult(outcome.result, revision, parts.server)
    case 'input-required':
      return renderQuestions(parts, exchange, outcome.required, binding)
    case 'failed':
      if (outcome.error.spec.mcp !== 'isError') throw outcome.error
      return renderFailure(outcome.error, entry.target, revision, parts.server)
  }
}

/** A tool that is not there may belong to a connection that is still starting. */
async function findTool({ catalog }: MethodParts, { view }: Exchange, name: unknown): Promise<Entry<Tool>> {
  if (typeof name !== 'string') {
    throw new WeirError('INVALID_PARAMS', '"name" must be a string.', { hint: 'Name the tool to call.' })
  }
  let entry = view.tools.find(name)
  if (entry === undefined && catalog.connections().some(({ state }) => state === 'starting')) {
    await catalog.settled(settleMaxMs)
    entry = view.tools.find(name)
  }
  if (entry === undefined) {
    throw new WeirError('TOOL_NOT_FOUND', `Tool ${JSON.stringify(name.slice(0, 200))} not found.`, {
      hint: 'tools/list names those there are.',
    })
  }
  return entry
}

function createCall({ states }: MethodParts, exchange: Exchange, entry: Entry, binding: StateBinding): Call {
  const { request, meta, caller, cancellation, session } = exchange
  const emit = createEmit(exchange)
  const logLevel = wantedLogLevel(exchange)
  const answers = readAnswers(states, request.params, binding)
  const clientCapabilities = session?.clientCapabilities ?? meta.clientCapabilities
  return {
    id: nextCallId(),
    entry,
    input: binding.input,
    caller,
    cancellation,
    via: 'mcp',
    clientCapabilities,
    wantsProgress: emit !== undefined && meta.progressToken !== undefined,
    ...(meta.forward === undefined ? {} : { meta: meta.forward }),
    ...(emit === undefined || logLevel === undefined ? {} : { logLevel }),
    ...(answers === undefined ? {} : { answers }),
    ...(emit === undefined ? {} : { emit }),
  }
}

function readAnswers(
  states: RequestStates,
  { inputResponses, requestState }: Record<string, unknown>,
  binding: StateBinding,
): InputAnswers | undefined {
  if (inputResponses === undefined && requestState === undefined) return undefined
  const resume = requestState === undefined ? undefined : states.open(requestState, binding)
  return {
    responses: isObject(inputResponses) ? inputResponses : {},
    ...(resume === undefined ? {} : { resume }),
  }
}

/** Which capability a client must have declared to be asked each kind of question. */
const capabilityOf: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
}

/** The protocol forbids to ask a client what it did not say it can answer. Throws MISSING_CAPABILITY. */
function checkAnswerable(
  { questions }: InputRequired,
  { clientCapabilities }: RequestMeta,
  id: string,
): void {
  const missing = Object.values(questions)
    .map((question) => (isObject(question) ? capabilityOf[String(question['method'])] : undefined))
    .filter((name) => name !== undefined && clientCapabilities[name] === undefined)
  if (missing.length === 0) return
  throw new WeirError('MISSING_CAPABILITY', `${id} asks its user for ${missing.join(' and ')}.`, {
    hint: 'Declare the capability with the call, if the client can carry the question.',
    data: { requiredCapabilities: Object.fromEntries(missing.map((name) => [name, {}])) },
  })
}

function renderQuestions(
  { states, server }: MethodParts,
  { revision, meta }: Exchange,
  required: InputRequired,
  binding: StateBinding,
): string {
  if (revision.era === 'legacy') {
    const error = new WeirError('INPUT_UNSUPPORTED', `${binding.id} asks its user a question.`, {
      hint: 'Connect with a client of revision 2026-07-28.',
    })
    return renderFailure(error, undefined, revision, server)
  }
  checkAnswerable(required, meta, binding.id)
  const members = revision.resultMembers(server).replace('"complete"', '"input_required"')
  const body = JSON.stringify({
    inputRequests: required.questions,
    requestState: states.seal(required.resume, binding),
  })
  return `${body.slice(0, -1)}${members}}`
}
