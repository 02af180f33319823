import { WeirError } from '../../../core/error.ts'
import type { ApiRequest } from '../send-request.ts'
import type { OperationPlan, PlannedParameter } from './plan-operation.ts'
import { writeBody } from './write-body.ts'
import { encodeStrictly, writeQuery, writeSimple } from './write-parameter.ts'

type Arguments = Readonly<Record<string, unknown>>

const urlCharsMax = 16_384

/**
 * The request that a call means. Throws INVALID_INPUT, before anything is sent, for a value that would change which
 * path is asked: an empty one, or one that makes a step up of its segment.
 */
export function buildRequest(plan: OperationPlan, input: Arguments): ApiRequest {
  const url = buildUrl(plan, input)
  if (url.length > urlCharsMax) {
    throw new WeirError(
      'INVALID_INPUT',
      `The URL would have ${url.length} characters, and at most ${urlCharsMax} are sent.`,
      {
        hint: 'Ask for less in one call.',
        data: { sent: false },
      },
    )
  }
  const headers = buildHeaders(plan, input)
  const method = plan.method as ApiRequest['method']
  if (plan.body === undefined || input['body'] === undefined) return { method, url, headers }
  const { body, mediaType } = writeBody(plan.body, input['body'])
  return { method, url, headers: { ...headers, 'content-type': mediaType }, body }
}

function buildUrl({ path, query, parameters }: OperationPlan, input: Arguments): string {
  const written = parameters
    .filter(({ location }) => location === 'query')
    .map((parameter) => writeQuery(parameter.name, input[parameter.argument], parameter))
  const whole = [query, ...written].filter((part) => part !== '').join('&')
  return whole === '' ? buildPath(path, input) : `${buildPath(path, input)}?${whole}`
}

/** Every value stays in the segment where it stands: what could end one is encoded, and what would be a step up refused. */
function buildPath(parts: OperationPlan['path'], input: Arguments): string {
  const path = parts
    .map((part) => (typeof part === 'string' ? part : writePathValue(part, input[part.argument])))
    .join('')
  const step = path.split('/').find((segment) => /^(\.|%2e){1,2}$/i.test(segment))
  if (step === undefined) return path
  throw refuse('path', `would make a segment of the path ${JSON.stringify(step)}`)
}

function writePathValue(parameter: PlannedParameter, value: unknown): string {
  const text = value === undefined || value === null ? '' : writeSimple(value, parameter, encodeStrictly)
  if (text === '') throw refuse(parameter.argument, 'is empty, and would leave the path without a segment')
  return text
}

function refuse(argument: string, what: string): WeirError {
  return new WeirError('INVALID_INPUT', `The argument ${argument} ${what}.`, {
    hint: 'Give the name or number of one thing.',
    data: { argument, sent: false },
  })
}

function buildHeaders({ parameters }: OperationPlan, input: Arguments): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const parameter of parameters) {
    const value = input[parameter.argument]
    if (parameter.location !== 'header' || value === undefined || value === null) continue
    headers[parameter.name] = writeSimple(value, parameter, (text) => text)
  }
  return headers
}
