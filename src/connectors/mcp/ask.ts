import { systemClock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import { type LogLevel, logLevels } from '../../core/event.ts'
import { InputRefused, InputRequired, type Result } from '../../core/outcome.ts'
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
import {
  type Capabilities,
  type RequestMeta,
  stripProtocolMeta,
  tasksExtension,
  withoutExtension,
} from '../../wire/model.ts'
import type { Client, ConverseOptions } from './client.ts'
import type { Answered } from './questions/conversation.ts'
import { protocolError } from './upstream-error.ts'

/** Throws where an answer is of another form than its method's. */
export type Check = (result: Record<string, unknown>) => Result

/** What a request says beside its parameters. */
export interface Asking {
  /** Parameters that travel in headers too; none unless the server is modern and behind HTTP. */
  readonly paramHeaders?: readonly ParamHeader[] | undefined
  /** What a modern server is told that its client can do, where that is not just what the caller's client said. */
  readonly capabilities?: Capabilities | undefined
  readonly follow?: ConverseOptions['follow'] | undefined
}

/** The stage in front ends calls by their signal; the transport's own limits stand behind it by this much. */
const backstopMs = 1_000
const noCapabilities = Object.freeze({})
const noHeaders: readonly string[] = []
const noParamHeaders: readonly ParamHeader[] = []
const plain: Asking = {}

/** Sends what a target's run asks of the server, and gives the answer without what concerned this hop alone. */
export async function ask(
  client: Client,
  method: string,
  params: Params,
  context: RunContext,
  check: Check,
): Promise<Result | InputRequired> {
  const answered = await send(client, method, withAnswers(client, params, context), context)
  return answered instanceof InputRequired ? answered : parseAnswer(answered, check)
}

/** Sends a request for a call. What comes back is still as the server sent it. */
export async function send(
  client: Client,
  method: string,
  params: Params,
  context: RunContext,
  { paramHeaders = noParamHeaders, capabilities, follow }: Asking = plain,
): Promise<Answered> {
  const modern = client.era === 'modern'
  if (context.logLevel !== undefined && !modern) await client.wantLog(context.logLevel)
  const options: ConverseOptions = {
    what: nameOf(method, params) ?? '',
    silenceMs: silenceOf(context),
    wantsLog: context.logLevel !== undefined,
    wantsProgress: context.wantsProgress,
    meta: readMeta(context, modern, capabilities),
    hear: emitNotification,
    ...(follow === undefined ? {} : { follow }),
    ...(modern ? { headers: renderHeaders(method, params, paramHeaders) } : {}),
  }
  return client.converse(method, params, options, context)
}

/** A modern server gets the answers to its questions with the call made again; a legacy one waits for them meanwhile. */
export function withAnswers({ era }: Client, params: Params, { answers }: RunContext): Params {
  if (answers === undefined || era === 'legacy') return params
  const { responses, resume } = answers
  const answered = { ...params, inputResponses: readResponses(responses) }
  return resume === undefined ? answered : { ...answered, requestState: resume }
}

/** A modern server takes no refusal in the place of an answer, but of a person who may say no. Throws INPUT_UNSUPPORTED. */
export function readResponses(
  responses: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
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

/** How long a server may stay silent on a request of this call. */
export function silenceOf({ deadlineMs }: RunContext): number {
  if (deadlineMs === Number.POSITIVE_INFINITY) return 24 * 3_600_000
  return Math.max(1, Math.ceil(deadlineMs - systemClock.monotonicMs())) + backstopMs
}

function readMeta(context: RunContext, modern: boolean, capabilities: Capabilities | undefined): RequestMeta {
  const declared =
    capabilities ?? withoutExtension(context.clientCapabilities ?? noCapabilities, tasksExtension)
  return {
    clientCapabilities: modern ? declared : noCapabilities,
    ...(context.meta === undefined ? {} : { forward: context.meta }),
    ...(context.logLevel === undefined ? {} : { logLevel: context.logLevel }),
  }
}

function renderHeaders(
  method: string,
  params: Params,
  paramHeaders: readonly ParamHeader[],
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

/** A result, or the questions that must be answered first. */
export function parseAnswer(result: Record<string, unknown>, check: Check): Result | InputRequired {
  return result['resultType'] === 'input_required' ? parseQuestions(result) : parseResult(result, check)
}

/** What concerned this hop alone is taken off; everything else stays as it came, known or not. */
export function parseResult(result: Record<string, unknown>, check: Check): Result {
  const { resultType, _meta, ...rest } = result
  if (resultType !== undefined && resultType !== 'complete') {
    throw protocolError(
      `The MCP server answered with a result of the type ${JSON.stringify(resultType)}, which does not belong there.`,
    )
  }
  const meta = stripProtocolMeta(_meta)
  if (meta !== undefined) rest['_meta'] = meta
  return check(rest)
}

function parseQuestions({ inputRequests = {}, requestState }: Record<string, unknown>): InputRequired {
  if (!isObject(inputRequests) || (requestState !== undefined && typeof requestState !== 'string')) {
    throw protocolError('The MCP server asked for input in a form that is not the protocol’s.')
  }
  return new InputRequired(inputRequests, requestState)
}
