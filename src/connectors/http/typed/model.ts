import { WeirError } from '../../../core/error.ts'
import type { JsonSchema, SchemaIssue } from '../../../core/schema.ts'
import type { FieldConfig, FieldsConfig } from './field-config.ts'

/** Compiles a schema once; what it gives checks a value. */
export type CompileSchema = (schema: JsonSchema) => (value: unknown) => readonly SchemaIssue[]

/** An object with such fields and no others, as JSON Schema. */
export function renderFields(fields: FieldsConfig, required: readonly string[]): JsonSchema {
  const properties = Object.entries(fields).map(([name, field]) => [name, renderField(name, field)])
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: [...required],
    additionalProperties: false,
  }
}

/** An answer's object: its fields that are always there are required. */
export function renderModel(fields: FieldsConfig): JsonSchema {
  return renderFields(
    fields,
    Object.keys(fields).filter((name) => fields[name]!.required),
  )
}

function renderField(name: string, field: FieldConfig): JsonSchema {
  const { description = `The field \`${name}\`.`, values, nullable, type } = field
  const form = { ...renderKind(type), ...(values === undefined ? {} : { enum: [...values] }) }
  return nullable ? { anyOf: [form, { type: 'null' }], description } : { ...form, description }
}

function renderKind(type: FieldConfig['type']): JsonSchema {
  switch (type) {
    case 'any':
      return {}
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'object':
    case 'array':
      return { type }
    default:
      return { type: 'string', format: type }
  }
}

/** Reads an object of the model out of what an API answered; what the model does not name is left out. */
export type ModelReader = (value: unknown, where: string) => Readonly<Record<string, unknown>>

/**
 * Makes a reader for answers. It throws INVALID_OUTPUT, which names the field and not its value. The schema is compiled
 * when the first answer is there.
 */
export function createModelReader(
  fields: FieldsConfig,
  compileSchema: CompileSchema,
  apiName: string,
): ModelReader {
  const names = Object.keys(fields)
  let check: ReturnType<CompileSchema> | undefined
  return (value, where) => {
    const picked = pick(value, names)
    check ??= compileSchema(renderModel(fields))
    const issues = check(picked)
    if (issues.length > 0) throw breach(apiName, where, issues)
    return picked as Readonly<Record<string, unknown>>
  }
}

/** Own fields alone; what is no object stays what it is, for the check to refuse. */
function pick(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const kept = names.filter((name) => Object.hasOwn(value, name))
  return Object.fromEntries(kept.map((name) => [name, (value as Readonly<Record<string, unknown>>)[name]]))
}

/** The error of an answer that is not what the configuration says of it. */
export function breach(apiName: string, where: string, issues: readonly SchemaIssue[]): WeirError {
  const said = issues.slice(0, 3).map(({ path, message }) => `${where}${path} ${message}`)
  return new WeirError('INVALID_OUTPUT', `The API ${apiName} broke the model: ${said.join('; ')}.`, {
    hint: 'Correct the model in the configuration, or the API.',
    data: {
      api_name: apiName,
      issues: issues.map(({ path, message }) => ({ path: `${where}${path}`, message })),
      sent: true,
    },
  })
}
