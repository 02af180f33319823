import { systemClock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import { type LogLevel, logLevels } from '../../core/event.ts'
import { type ContentBlock, InputRefused, InputRequired, type Result } from '../../core/outcome.ts'
import { isObject } from '../../core/parse-json.ts'
import type { RunContext } from '../../core/tool.ts'
import {
  encodeHeaderValue,
  headerNames,
  nameOf,
  type ParamHeader,
  renderParamHeaders,
} from '../../wire/headers.ts'
import type { JsonRpcNotification, Params } from '../../wire/json-rpc.ts'
import { type RequestMeta, stripProtocolMeta } from '../../wire/model.ts'
import type { Client, ConverseOptions } from './client.ts'
import { protocolError } from './upstream-error.ts'

/** What a call needs to know of its tool. */
export interface CallTarget {
  readonly name: string
  /** Parameters that travel in headers too; none unless the server is modern and behind HTTP. */
  readonly paramHeaders: readonly ParamHeader[]
}

/** The extension whose results Weir cannot carry yet; a client's word for it is not passed on. */
const tasksExtension = 'io.modelcontextprotocol/tasks'
/** The stage in front ends calls by their signal; the transport's own limits stand behind it by this much. */
const backstopMs = 1_000
const noCapabilities = Object.freeze({})
const noHeaders: readonly string[] = []
const noParamHeaders: CallTarget['paramHeaders'] = []

/** Calls a tool of the upstream server. The arguments go out as they came. */
export function callTool(
  client: Client,
  target: CallTarget,
  input: unknown,
  context: RunContext,
): Promise<Result | InputRequired> {
  const params = { name: target.name, arguments: input }
  return ask(client, 'tools/call', params, context, checkContent, target.paramHeaders)
}

/**
 * Sends what a target's run asks of the server, and gives the answer without what concerned this hop alone. `check`
 * throws where the answer is of another form than its method's.
 */
export async function ask(
  client: Client,
  method: string,
  params: Params,
  context: RunContext,
  check: (result: Record<string, unknown>) => Result,
  paramHeaders: CallTarget['paramHeaders'] = noParamHeaders,
): Promise<Result | InputRequired> {
  const modern = client.era === 'modern'
  if (context.logLevel !== undefined && !modern) await client.wantLog(context.logLevel)
  if (context.answers !== undefined && modern) {
    params['inputResponses'] = readResponses(context.answers.responses)
    if (context.answers.resume !== undefined) params['requestState'] = context.answers.resume
  }
  const options: ConverseOptions = {
    what: nameOf(method, params) ?? '',
    silenceMs: silenceOf(context.deadlineMs),
    wantsLog: context.logLevel !== undefined,
    wantsProgress: context.wantsProgress,
    meta: readMeta(context, modern),
    hear: emitNotification,
    ...(modern ? { headers: renderHeaders(method, params, paramHeaders) } : {}),
  }
  const answered = await client.converse(method, params, options, context)
  return answered instanceof InputRequired ? answered : parseAnswer(answered, check)
}

/** A modern server takes no refusal in the place of an answer, but of a person who may say no. Throws INPUT_UNSUPPORTED. */
function readResponses(responses: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const refused = Object.values(responses).some((response) => response instanceof InputRefused)
  if (!refused) return responses
  return Object.fromEntries(Object.entries(responses).map(([key, response]) => [key, readResponse(response)]))
}

function readResponse(response: unknown): unknown {
  if (!(response instanceof InputRefused)) return response
  if (response.method === 'elicitation/create') return { action: 'cancel' }
  const message = `The client answered ${response.method} with an error: ${response.error.message.slice(0, 1_000)}`
  throw new WeirError('INPUT_UNSUPPORTED', message, { data: { code: response.error.code } })
}

function silenceOf(deadlineMs: number): number {
  if (deadlineMs === Number.POSITIVE_INFINITY) return 24 * 3_600_000
  return Math.max(1, Math.ceil(deadlineMs - systemClock.monotonicMs())) + backstopMs
}

function readMeta(context: RunContext, modern: boolean): RequestMeta {
  return {
    clientCapabilities: modern ? readCapabilities(context.clientCapabilities) : noCapabilities,
    ...(context.meta === undefined ? {} : { forward: context.meta }),
    ...(context.logLevel === undefined ? {} : { logLevel: context.logLevel }),
  }
}

function readCapabilities(declared: RunContext['clientCapabilities']): Readonly<Record<string, unknown>> {
  const extensions = declared?.['extensions']
  if (!isObject(extensions) || !(tasksExtension in extensions)) return declared ?? noCapabilities
  const { [tasksExtension]: _, ...kept } = extensions
  return { ...declared, extensions: kept }
}

function renderHeaders(
  method: string,
  params: Params,
  paramHeaders: CallTarget['paramHeaders'],
): readonly string[] {
  const name = nameOf(method, params)
  if (name === undefined) return noHeaders
  const headers = [headerNames.name, encodeHeaderValue(name)]
  if (paramHeaders.length > 0) {
    headers.push(...Object.entries(renderParamHeaders(paramHeaders, params['arguments'])).flat())
  }
  return headers
}

function emitNotification({ method, params }: JsonRpcNotification, context: RunContext): void {
  if (method === 'notifications/progress') emitProgress(params, context)
  else if (method === 'notifications/message') emitLog(params, context)
}

function emitProgress(params: Params, context: RunContext): void {
  const { progressToken: _, progress, total, message, _meta, ...unknown } = params
  if (typeof progress !== 'number' || !context.wantsProgress) return
  const meta = stripProtocolMeta(_meta)
  const extra = meta === undefined ? unknown : { ...unknown, _meta: meta }
  context.emit({
    kind: 'progress',
    progress,
    ...(typeof total === 'number' ? { total } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  })
}

function emitLog({ level, logger, data }: Params, context: RunContext): void {
  const severity = logLevels.indexOf(level as LogLevel)
  const mildest = logLevels.indexOf(context.logLevel as LogLevel)
  if (mildest < 0 || severity < mildest) return
  context.emit({
    kind: 'log',
    level: level as LogLevel,
    data,
    ...(typeof logger === 'string' ? { logger } : {}),
  })
}

/** What concerned this hop alone is taken off; everything else stays as it came, known or not. */
function parseAnswer(
  result: Record<string, unknown>,
  check: (result: Record<string, unknown>) => Result,
): Result | InputRequired {
  const { resultType, _meta, ...rest } = result
  if (resultType === 'input_required') return parseQuestions(rest)
  if (resultType !== undefined && resultType !== 'complete') {
    throw protocolError(
      `The MCP server answered with a result of the unknown type ${JSON.stringify(resultType)}.`,
    )
  }
  const meta = stripProtocolMeta(_meta)
  if (meta !== undefined) rest['_meta'] = meta
  return check(rest)
}

function checkContent(result: Record<string, unknown>): Result {
  const { content, structuredContent, isError } = result
  if (content !== undefined && !isContent(content)) {
    throw protocolError('The MCP server answered with "content" that is not a list of content blocks.')
  }
  if (isError !== undefined && typeof isError !== 'boolean') {
    throw protocolError('The MCP server answered with an "isError" that is not a boolean.')
  }
  if (content === undefined && structuredContent === undefined) result['content'] = []
  return result
}

function parseQuestions({ inputRequests = {}, requestState }: Record<string, unknown>): InputRequired {
  if (!isObject(inputRequests) || (requestState !== undefined && typeof requestState !== 'string')) {
    throw protocolError('The MCP server asked for input in a form that is not the protocol’s.')
  }
  return new InputRequired(inputRequests, requestState)
}

function isContent(content: unknown): content is readonly ContentBlock[] {
  return (
    Array.isArray(content) && content.every((block) => isObject(block) && typeof block['type'] === 'string')
  )
}
