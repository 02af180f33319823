import { z } from 'zod'

/** What a field of an API's data may be. */
const kinds = [
  'string',
  'integer',
  'number',
  'boolean',
  'object',
  'array',
  'any',
  'date-time',
  'date',
  'email',
  'uri',
  'uuid',
] as const

const kind = z
  .enum(kinds)
  .describe('The type; `date-time`, `date`, `email`, `uri` and `uuid` are texts of that form.')

const field = z
  .union([
    kind,
    z.strictObject({
      type: kind,
      description: z.string().max(1_000).optional().describe('What it is, told to the model.'),
      required: z.boolean().default(true).describe('Whether it is always there.'),
      nullable: z.boolean().default(false).describe('Whether it may be null.'),
      values: z.array(z.string()).nonempty().max(200).optional().describe('The only texts it may be.'),
      write: z
        .enum(['required', 'optional', 'never'])
        .optional()
        .describe(
          'Whether whoever creates a resource says it. Default: `never` for the id, `required` for what is always there, else `optional`.',
        ),
    }),
  ])
  .transform((given) =>
    typeof given === 'string' ? { type: given, required: true, nullable: false } : given,
  )

/** One field, with its defaults. */
export interface FieldConfig {
  readonly type: (typeof kinds)[number]
  readonly description?: string | undefined
  readonly required: boolean
  readonly nullable: boolean
  readonly values?: readonly string[] | undefined
  readonly write?: 'required' | 'optional' | 'never' | undefined
}

const fieldName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/, 'is not the name of a field')

/** Fields by name: a type alone, or a type and more. */
export const fieldsConfig = z
  .record(fieldName, field)
  .refine((fields) => Object.keys(fields).length <= 200, 'must name at most 200 fields')

/** Fields by name. */
export type FieldsConfig = Readonly<Record<string, FieldConfig>>
