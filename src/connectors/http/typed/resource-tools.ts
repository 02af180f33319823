import { readPointer } from '../../../core/json-pointer.ts'
import type { JsonSchema } from '../../../core/schema.ts'
import type { Api } from '../api.ts'
import { findLink } from '../pages/parse-link-header.ts'
import type { HttpAnswer } from '../render-answer.ts'
import type { FieldsConfig } from './field-config.ts'
import { renderKeyArgument, renderKeyHeader } from './idempotency.ts'
import {
  breach,
  type CompileSchema,
  createModelReader,
  type ModelReader,
  renderFields,
  renderModel,
} from './model.ts'
import type { ResourceConfig } from './typed-config.ts'
import { type Arguments, pickGiven, renderQuery, renderSegment, type TypedTool } from './typed-tool.ts'

type Operations = ResourceConfig['operations']
type Operation<K extends keyof Operations> = NonNullable<Operations[K]>

/** A resource with what its operations share. */
interface Resource {
  readonly name: string
  readonly api: Api
  readonly config: ResourceConfig
  readonly readOne: ModelReader
}

/** The tools of one kind of things that an API keeps (D2-015 to D2-019). */
export function describeResource(
  api: Api,
  name: string,
  config: ResourceConfig,
  compile: CompileSchema,
): readonly TypedTool[] {
  const resource = { name, api, config, readOne: createModelReader(config.model, compile, api.name) }
  const { get, list, create, update, delete: remove } = config.operations
  return [
    ...(get === undefined ? [] : [describeGet(resource, get)]),
    ...(list === undefined ? [] : [describeList(resource, list)]),
    ...(create === undefined ? [] : [describeCreate(resource, create)]),
    ...(update === undefined ? [] : [describeUpdate(resource, update)]),
    ...(remove === undefined ? [] : [describeDelete(resource, remove)]),
  ]
}

function describeGet(resource: Resource, given: Operation<'get'>): TypedTool {
  const { name, config } = resource
  return {
    ...describe(resource, given, `get_${name}`, `Reads one ${name} by its id.`),
    effect: 'read',
    input: renderFields(idOf(config), [config.idField]),
    data: renderModel(config.model),
    request: (input) => ({ method: 'GET', url: pathOf(config, input) }),
    read: (answer) => readBody(resource, answer),
  }
}

function describeList(resource: Resource, list: Operation<'list'>): TypedTool {
  const { name, config } = resource
  const pageSize = Math.min(list.pageSize, list.pageSizeMax)
  const paged = ({ page = 1, page_size: size = pageSize }: Arguments) => ({
    page: Number(page),
    size: Number(size),
  })
  return {
    ...describe(
      resource,
      list,
      `list_${name}s`,
      `Reads a page of ${name}s. Go on with \`next_page\` until it is null.`,
    ),
    effect: 'read',
    input: renderPageInput(pageSize, list.pageSizeMax),
    data: renderPage(config.model),
    request(input) {
      const { page, size } = paged(input)
      const query = { [list.pageParameter]: page, [list.pageSizeParameter]: size }
      return { method: 'GET', url: config.path + renderQuery(query) }
    },
    read(answer, input) {
      const items = readItems(resource, list, answer)
      return {
        items,
        next_page: findNextPage(resource, list, answer, { ...paged(input), count: items.length }),
      }
    },
  }
}

function describeCreate(resource: Resource, create: Operation<'create'>): TypedTool {
  const { name, config } = resource
  const { idempotencyHeader } = create
  const fields = writable(config)
  const required = Object.keys(fields).filter(
    (key) => (fields[key]!.write ?? (fields[key]!.required ? 'required' : 'optional')) === 'required',
  )
  const input = renderFields(fields, required)
  return {
    ...describe(resource, create, `create_${name}`, `Creates one ${name}.`),
    effect: 'write',
    input: {
      ...input,
      properties: { ...(input['properties'] as object), ...renderKeyArgument(idempotencyHeader) },
    },
    data: renderModel(config.model),
    request: (given) => ({
      method: 'POST',
      url: config.path,
      headers: renderKeyHeader(idempotencyHeader, given),
      body: pickGiven(given, Object.keys(fields)),
    }),
    read: (answer) => readBody(resource, answer),
  }
}

function describeUpdate(resource: Resource, update: Operation<'update'>): TypedTool {
  const { name, config } = resource
  const fields = writable(config)
  const isWhole = update.method === 'PUT'
  const required = isWhole ? Object.keys(fields).filter((key) => fields[key]!.required) : []
  return {
    ...describe(
      resource,
      update,
      `update_${name}`,
      isWhole ? `Replaces one ${name}.` : `Changes fields of one ${name}.`,
    ),
    effect: isWhole ? 'idempotent-write' : 'write',
    input: renderFields({ ...idOf(config), ...fields }, [config.idField, ...required]),
    data: renderModel(config.model),
    request: (given) => ({
      method: update.method,
      url: pathOf(config, given),
      body: pickGiven(given, Object.keys(fields)),
    }),
    read: (answer) => readBody(resource, answer),
  }
}

function describeDelete(resource: Resource, remove: Operation<'delete'>): TypedTool {
  const { name, config } = resource
  return {
    ...describe(resource, remove, `delete_${name}`, `Deletes one ${name}.`),
    effect: 'destructive',
    input: renderFields(idOf(config), [config.idField]),
    data: renderFields(idOf(config), [config.idField]),
    request: (input) => ({ method: 'DELETE', url: pathOf(config, input) }),
    read: (_answer, input) => pickGiven(input, [config.idField]),
  }
}

function describe(
  { config, api }: Resource,
  { tool, description, error, message }: Operation<'get'>,
  name: string,
  what: string,
): Pick<TypedTool, 'name' | 'description' | 'failure'> {
  const about = config.description === undefined ? `Of the API ${api.name}.` : config.description
  return { name: tool ?? name, description: description ?? `${what} ${about}`, failure: { error, message } }
}

/** Where the path of all ends in a slash, so does that of one. */
function pathOf({ path, idField }: ResourceConfig, input: Arguments): string {
  const id = renderSegment(idField, input[idField])
  return path.endsWith('/') ? `${path}${id}/` : `${path}/${id}`
}

function idOf({ model, idField }: ResourceConfig): FieldsConfig {
  return { [idField]: { ...model[idField]!, nullable: false } }
}

/** The fields that whoever writes may say; the id comes from the API unless the configuration says otherwise. */
function writable({ model, idField }: ResourceConfig): FieldsConfig {
  const fields = Object.entries(model).filter(
    ([name, { write }]) => (write ?? (name === idField ? 'never' : 'optional')) !== 'never',
  )
  return Object.fromEntries(fields)
}

function readBody({ config, readOne }: Resource, { data }: HttpAnswer) {
  return readOne(readPointer(data, config.dataAt), config.dataAt)
}

function readItems({ api, readOne }: Resource, { itemsAt }: Operation<'list'>, { data }: HttpAnswer) {
  const items = readPointer(data, itemsAt)
  if (!Array.isArray(items)) throw breach(api.name, itemsAt, [{ path: '', message: 'must be array' }])
  return items.map((item, index) => readOne(item, `${itemsAt}/${index}`))
}

/** What the API says counts first: a number in the body, then the header Link; else a full page may have a next one. */
function findNextPage(
  { api }: Resource,
  { nextPageAt }: Operation<'list'>,
  { data, headers }: HttpAnswer,
  { page, size, count }: { readonly page: number; readonly size: number; readonly count: number },
): number | null {
  if (nextPageAt !== undefined) {
    const next = readPointer(data, nextPageAt) ?? null
    if (next === null || (Number.isSafeInteger(next) && Number(next) > 0)) return next as number | null
    throw breach(api.name, nextPageAt, [{ path: '', message: 'must be a page number or null' }])
  }
  const { link } = headers
  const isMore = link === undefined ? count >= size : findLink(link, 'next') !== undefined
  return isMore ? page + 1 : null
}

function renderPageInput(pageSize: number, pageSizeMax: number): JsonSchema {
  const page = { type: 'integer', minimum: 1, maximum: 1_000_000_000, default: 1 }
  const size = { type: 'integer', minimum: 1, maximum: pageSizeMax, default: pageSize }
  return {
    type: 'object',
    properties: {
      page: { ...page, description: 'Which page; the first is 1.' },
      page_size: { ...size, description: 'How many a page holds.' },
    },
    additionalProperties: false,
  }
}

function renderPage(model: FieldsConfig): JsonSchema {
  return {
    type: 'object',
    properties: {
      items: { type: 'array', items: renderModel(model), description: 'The page.' },
      next_page: {
        type: ['integer', 'null'],
        description: 'Give it as `page` to go on; null after the last page.',
      },
    },
    required: ['items', 'next_page'],
    additionalProperties: false,
  }
}
