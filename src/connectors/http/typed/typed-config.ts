import { z } from 'zod'
import { pointerForm } from '../../../core/json-pointer.ts'
import { headerName } from '../header-fields.ts'
import { isProtectedHeader } from '../header-rules.ts'
import { type Method, methods } from '../methods.ts'
import { fieldsConfig } from './field-config.ts'

const snakeCase = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/, 'must be snake_case')
const pointer = z.string().max(500).regex(pointerForm, 'is no JSON Pointer such as "/data"')
const path = z
  .string()
  .max(2_000)
  .regex(/^(\/[A-Za-z0-9._~!$&'()*+,;=:@%{}-]+)+\/?$/, 'must be a path such as "/items", without a query')
const parameter = z.string().min(1).max(100)

const idempotencyHeader = headerName
  .refine((name) => !isProtectedHeader(name), 'is a header that Weir alone sets')
  .optional()
  .describe(
    'The header by which the API knows repeats, such as `Idempotency-Key`. Callers may give its value as `idempotency_key`; else it is new with each call.',
  )

/** What every tool of this kind may say of itself. */
const common = {
  description: z.string().max(4_000).optional().describe('What the tool is for, told to the model.'),
  error: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/, 'must be letters, digits, `_`, `.` or `-`')
    .optional()
    .describe('A name of your own for its failure, given as `data.error` beside Weir’s code.'),
  message: z.string().min(1).max(500).optional().describe('A message of your own for its failure.'),
}
const operation = { tool: snakeCase.optional().describe('The tool’s name.'), ...common }

const list = z.strictObject({
  ...operation,
  itemsAt: pointer
    .default('/items')
    .describe('JSON Pointer to the list in the body; empty: the body is the list.'),
  pageParameter: parameter.default('page').describe('The query parameter for the page.'),
  pageSizeParameter: parameter.default('page_size').describe('The query parameter for the page’s size.'),
  pageSize: z.int().min(1).max(10_000).default(50).describe('The size of a page where the caller says none.'),
  pageSizeMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe(
      'The largest page callers may ask for. No larger than what the API gives: a page that is shorter than asked for counts as the last.',
    ),
  nextPageAt: pointer
    .optional()
    .describe(
      'JSON Pointer to the next page’s number in the body, null or absent after the last page. Without it the header Link says, or else whether the page is full.',
    ),
})

/** One kind of thing that an API keeps (D2-016 to D2-019). */
const resource = z.strictObject({
  path: path.describe('Where the API keeps them, below `baseUrl`; one of them is at `{path}/{id}`.'),
  description: z.string().max(4_000).optional().describe('What they are, told to the model.'),
  model: fieldsConfig
    .refine((fields) => Object.keys(fields).length > 0, 'must name at least one field')
    .describe(
      'The fields of one; answers that break it are an error. What else an answer holds is left out.',
    ),
  idField: z.string().max(100).default('id').describe('The field that is its id.'),
  dataAt: pointer
    .default('')
    .describe('JSON Pointer to one of them in the body of an answer; empty: the body.'),
  operations: z
    .strictObject({
      get: z.strictObject(operation).optional().describe('Reads one by its id; `get_{name}` by default.'),
      list: list.optional().describe('Reads a page of them; `list_{name}s` by default.'),
      create: z
        .strictObject({ ...operation, idempotencyHeader })
        .optional()
        .describe('Creates one with POST; `create_{name}` by default.'),
      update: z
        .strictObject({
          ...operation,
          method: z.enum(['PATCH', 'PUT']).default('PATCH').describe('PUT replaces all of it.'),
        })
        .optional()
        .describe('Changes one; `update_{name}` by default.'),
      delete: z.strictObject(operation).optional().describe('Deletes one; `delete_{name}` by default.'),
    })
    .describe('What callers may do with them; each is a tool.'),
})

/** One request with a form of its own (D2-056, D2-062). */
const call = z.strictObject({
  ...common,
  method: z.enum(methods).default('GET').describe('HTTP method.'),
  path: path.describe('Below `baseUrl`; `{name}` in it is an argument of the tool.'),
  query: fieldsConfig.default({}).describe('Arguments that go into the query.'),
  body: fieldsConfig.optional().describe('Arguments that go into the body, a JSON object.'),
  result: fieldsConfig
    .optional()
    .describe('The fields of the answer, which is then an object and held to them. Default: any JSON.'),
  dataAt: pointer
    .default('')
    .describe('JSON Pointer to the result in the body of the answer; empty: the body.'),
  idempotencyHeader,
  effect: z
    .enum(['read', 'idempotent-write', 'write', 'destructive'])
    .optional()
    .describe(
      'What it does to the world, where the method does not say it: a search with POST reads. Default: `read` for GET, `idempotent-write` for PUT, `destructive` for DELETE, else `write`.',
    ),
})

/** Typed tools of an API: fields of its configuration. */
export const typedFields = {
  resources: z
    .record(snakeCase, resource)
    .default({})
    .describe('Kinds of things that the API keeps, by name; each operation becomes a tool.'),
  calls: z
    .record(snakeCase, call)
    .default({})
    .describe('Single requests with arguments of their own, by the name of the tool.'),
}

/** One resource, with its defaults. */
export type ResourceConfig = z.infer<typeof resource>

/** One call, with its defaults. */
export type CallConfig = z.infer<typeof call>

interface TypedConfig {
  readonly methods: readonly Method[]
  readonly resources: Readonly<Record<string, ResourceConfig>>
  readonly calls: Readonly<Record<string, CallConfig>>
}

/** Where a typed tool contradicts itself or the API's `methods`. */
export function* findTypedFaults(api: TypedConfig): Generator<{ path: string[]; message: string }> {
  const lacks = (method: Method) => `needs ${method}, which the API’s \`methods\` do not have`
  for (const [name, { operations, model, idField }] of Object.entries(api.resources)) {
    const needed = {
      get: 'GET',
      list: 'GET',
      create: 'POST',
      update: operations.update?.method ?? 'PATCH',
      delete: 'DELETE',
    } as const
    for (const [key, method] of Object.entries(needed)) {
      const isThere = operations[key as keyof typeof operations] !== undefined
      if (isThere && !api.methods.includes(method))
        yield { path: ['resources', name, 'operations', key], message: lacks(method) }
    }
    if (model[idField] === undefined)
      yield { path: ['resources', name, 'idField'], message: 'is no field of `model`' }
  }
  for (const [name, call] of Object.entries(api.calls)) {
    if (!api.methods.includes(call.method))
      yield { path: ['calls', name, 'method'], message: lacks(call.method) }
    const repeated = findRepeated(call)
    if (repeated !== undefined)
      yield { path: ['calls', name], message: `has more than one argument \`${repeated}\`` }
    if (call.method === 'GET' && call.body !== undefined)
      yield { path: ['calls', name, 'body'], message: 'a GET has no body' }
  }
}

/** The arguments that stand in a path, in order. */
export function listPathArguments(path: string): readonly string[] {
  return [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name!)
}

function findRepeated({ path, query, body = {}, idempotencyHeader }: CallConfig): string | undefined {
  const names = [...listPathArguments(path), ...Object.keys(query), ...Object.keys(body)]
  if (idempotencyHeader !== undefined) names.push('idempotency_key')
  return names.find((name, index) => names.indexOf(name) !== index)
}
