import { Ajv, type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { JsonSchema } from '../../core/schema.ts'

const draft7 = 'http://json-schema.org/draft-07/schema'
const draft2020 = 'https://json-schema.org/draft/2020-12/schema'
const options = { strict: false, logger: false, validateFormats: false } as const

let instances: { readonly [draft7]: Ajv; readonly [draft2020]: Ajv2020 } | undefined

/**
 * A schema of a definition, valid by its dialect's own schema, and naming that dialect where it is Draft-7 (D4-033):
 * one that names none and is valid as Draft-7 alone would otherwise be read as 2020-12. Throws an Error that says why.
 */
export function settleSchema(schema: JsonSchema): JsonSchema {
  const { $schema: named } = schema
  if (named === undefined) {
    const fault = findFault(draft2020, schema)
    if (fault === undefined) return schema
    if (findFault(draft7, schema) === undefined) return { $schema: `${draft7}#`, ...schema }
    throw new Error(fault)
  }
  const dialect = typeof named === 'string' ? named.replace(/#$/, '') : undefined
  if (dialect !== draft7 && dialect !== draft2020) {
    const shown = JSON.stringify(named).slice(0, 200)
    throw new Error(`the dialect ${shown} is neither Draft-7 nor 2020-12`)
  }
  const fault = findFault(dialect, schema)
  if (fault !== undefined) throw new Error(fault)
  return schema
}

function findFault(dialect: typeof draft7 | typeof draft2020, schema: JsonSchema): string | undefined {
  instances ??= { [draft7]: new Ajv(options), [draft2020]: new Ajv2020(options) }
  const ajv = instances[dialect]
  return ajv.validate(dialect, schema) ? undefined : describe(ajv.errors?.[0])
}

function describe(error: ErrorObject | undefined): string {
  const { instancePath = '', message = 'is not a schema' } = error ?? {}
  return `${instancePath === '' ? 'it' : instancePath.slice(0, 200)} ${message}`
}
