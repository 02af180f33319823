import { WeirError } from '../../../core/error.ts'
import { type JsonSchema, jsonSchema } from '../../../core/schema.ts'
import type { Effect, Tool } from '../../../core/tool.ts'
import { readTraceparent } from '../../../core/trace.ts'
import type { Api } from '../api.ts'
import type { HttpAnswer } from '../render-answer.ts'
import { type ApiRequest, sendRequest } from '../send-request.ts'
import { createStatusError } from '../status-error.ts'

/** The arguments of a typed tool. */
export type Arguments = Readonly<Record<string, unknown>>

/** One tool with a form of its own, over one request. */
export interface TypedTool {
  readonly name: string
  readonly description: string
  readonly effect: Effect
  readonly input: JsonSchema
  /** What `data` of the answer is. */
  readonly data: JsonSchema
  /** A name and a message for its failure. */
  readonly failure: { readonly error?: string | undefined; readonly message?: string | undefined }
  request(input: Arguments): ApiRequest
  /** Reads `data` out of a 2xx answer; throws INVALID_OUTPUT where it is not what was promised. */
  read(answer: HttpAnswer, input: Arguments): unknown
}

/**
 * Makes the tool. Its answer is `{success: true, data}`; any other status than 2xx is thrown, so that retry and breaker
 * see it, with the name that the configuration gives to the failure (D2-056, D2-062).
 */
export function createTypedTool(api: Api, typed: TypedTool): Tool<Arguments> {
  const { timeoutMs } = api.config
  return {
    kind: 'tool',
    name: typed.name,
    title: renderTitle(typed.name),
    description: typed.description,
    effect: typed.effect,
    input: jsonSchema<Arguments>(typed.input),
    output: jsonSchema(renderOutput(typed.data)),
    ...(timeoutMs > 30_000 ? { timeoutMs } : {}),
    async run(input, { stop, meta }) {
      try {
        const traceparent = readTraceparent(meta?.['traceparent'])
        const answer = await sendRequest(
          api,
          { ...typed.request(input), traceparent, endpoint: typed.name },
          stop,
        )
        if (!answer.success) throw createStatusError(api, answer)
        return { structuredContent: { success: true, data: typed.read(answer, input) } }
      } catch (thrown) {
        throw stop.aborted ? thrown : nameFailure(thrown, typed.failure)
      }
    },
  }
}

/** `list_refunds` for people: List refunds. */
function renderTitle(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function renderOutput(data: JsonSchema): JsonSchema {
  return {
    type: 'object',
    properties: {
      success: { type: 'boolean', const: true, description: 'Always true: a failure is an error.' },
      data: { description: 'What the API answered.', ...data },
    },
    required: ['success', 'data'],
    additionalProperties: false,
  }
}

/** Only what the API is to blame for gets the name; wrong arguments stay what they are. */
function nameFailure(thrown: unknown, { error, message }: TypedTool['failure']): unknown {
  if (!(thrown instanceof WeirError) || thrown.spec.audience === 'caller') return thrown
  if (error === undefined && message === undefined) return thrown
  return new WeirError(thrown.code, message ?? thrown.message, {
    ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    data: {
      ...thrown.data,
      success: false,
      ...(error === undefined ? {} : { error }),
      ...(message === undefined ? {} : { reason: thrown.message }),
    },
    cause: thrown,
  })
}

/** One segment of a path. Throws INVALID_INPUT for what would lead to another path. */
export function renderSegment(name: string, value: unknown): string {
  const text = String(value).toWellFormed()
  if (text === '' || text === '.' || text === '..') {
    throw new WeirError('INVALID_INPUT', `\`${name}\` may not be ${JSON.stringify(text)}.`, {
      hint: 'It is part of the URL’s path.',
      data: { sent: false },
    })
  }
  return encodeURIComponent(text)
}

/** The query of a URL, with its question mark; empty where nothing is given. */
export function renderQuery(values: Arguments): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value].flat()) {
      if (one === undefined || one === null) continue
      query.append(name, typeof one === 'object' ? JSON.stringify(one) : String(one))
    }
  }
  return query.size === 0 ? '' : `?${query}`
}

/** The given ones of some fields. */
export function pickGiven(input: Arguments, names: readonly string[]): Arguments {
  const given = names.filter((name) => input[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name, input[name]]))
}
