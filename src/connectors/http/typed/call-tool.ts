import { readPointer } from '../../../core/json-pointer.ts'
import type { JsonSchema } from '../../../core/schema.ts'
import type { Effect } from '../../../core/tool.ts'
import type { Api } from '../api.ts'
import type { Method } from '../methods.ts'
import type { FieldsConfig } from './field-config.ts'
import { renderKeyArgument, renderKeyHeader } from './idempotency.ts'
import { type CompileSchema, createModelReader, renderFields, renderModel } from './model.ts'
import { type CallConfig, listPathArguments } from './typed-config.ts'
import { type Arguments, pickGiven, renderQuery, renderSegment, type TypedTool } from './typed-tool.ts'

const effects: Readonly<Record<Method, Effect>> = {
  GET: 'read',
  POST: 'write',
  PUT: 'idempotent-write',
  PATCH: 'write',
  DELETE: 'destructive',
}

/** One request with arguments of its own, as a tool (D2-056, D2-062). */
export function describeCall(api: Api, name: string, call: CallConfig, compile: CompileSchema): TypedTool {
  const { method, path, query, body, result, dataAt, idempotencyHeader, error, message } = call
  const queryNames = Object.keys(query)
  const bodyNames = Object.keys(body ?? {})
  const readResult = result === undefined ? undefined : createModelReader(result, compile, api.name)
  return {
    name,
    description: call.description ?? `Sends ${method} ${path} to the API ${api.name}.`,
    effect: call.effect ?? effects[method],
    input: renderInput(call),
    data: result === undefined ? {} : renderModel(result),
    failure: { error, message },
    request: (input) => ({
      method,
      url: renderPath(path, input) + renderQuery(pickGiven(input, queryNames)),
      headers: renderKeyHeader(idempotencyHeader, input),
      ...(body === undefined ? {} : { body: pickGiven(input, bodyNames) }),
    }),
    read(answer) {
      const data = readPointer(answer.data, dataAt)
      return readResult === undefined ? (data ?? null) : readResult(data, dataAt)
    },
  }
}

function renderInput({ path, query, body = {}, idempotencyHeader }: CallConfig): JsonSchema {
  const inPath = listPathArguments(path)
  const segments = inPath.map((name): [string, FieldsConfig[string]] => [
    name,
    { type: 'string', required: true, nullable: false, description: `\`${name}\` in the path ${path}.` },
  ])
  const fields: FieldsConfig = { ...Object.fromEntries(segments), ...query, ...body }
  const required = Object.keys(fields).filter((name) => fields[name]!.required)
  const schema = renderFields(fields, required)
  return {
    ...schema,
    properties: { ...(schema['properties'] as object), ...renderKeyArgument(idempotencyHeader) },
  }
}

function renderPath(path: string, input: Arguments): string {
  return path.replace(/\{([^{}]*)\}/g, (_whole, name: string) => renderSegment(name, input[name]))
}
