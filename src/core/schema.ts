/** A JSON Schema document, Draft-7 or 2020-12. A boolean is a schema too, but never a tool's own. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** One thing a value broke: where (a JSON Pointer, `''` for the whole value) and what was expected there. */
export interface SchemaIssue {
  readonly path: string
  readonly message: string
}

/**
 * What a value must look like: a Standard Schema that can also say itself as JSON Schema.
 * Zod 4 satisfies it as it is; `jsonSchema()` makes one from raw JSON Schema. `T` is what goes in: arguments are
 * checked and never changed, so a field with a default may be absent, and who reads it says the default.
 */
export interface Schema<T = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly types?: { readonly input: T; readonly output: unknown } | undefined
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
    }
  }
}

/** Wraps raw JSON Schema (an upstream server's, say) as a `Schema`; the document is kept as it is. */
export function jsonSchema<T = unknown>(document: JsonSchema): Schema<T> {
  return { '~standard': { version: 1, vendor: 'weir', jsonSchema: { input: () => document } } }
}

/** The JSON Schema of what goes in: fields with a default are optional. Not cheap: call it once and keep it. */
export function toJsonSchema(schema: Schema): JsonSchema {
  return schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' })
}
