import { z } from 'zod'

/** What one value may be. */
const scalarTypes = ['string', 'integer', 'number', 'boolean', 'datetime', 'bytes'] as const
export type ScalarType = (typeof scalarTypes)[number]

const parameter = z.strictObject({
  type: z
    .enum([...scalarTypes, 'json', 'array'])
    .describe(
      'What callers give; `datetime` is an instant in ISO 8601, `bytes` base64, `json` anything, `array` a list, for databases that have lists.',
    ),
  items: z.enum(scalarTypes).optional().describe('What an `array` is a list of.'),
  description: z.string().min(1).describe('What it is, told to the model.'),
  required: z.boolean().optional().describe('Whether callers must give it. True, unless it has a default.'),
  default: z
    .unknown()
    .optional()
    .describe('What stands for it where callers leave it out; without one that is null.'),
  enum: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .max(100)
    .optional()
    .describe('The only values there are.'),
  minimum: z.number().optional().describe('The least number.'),
  maximum: z.number().optional().describe('The greatest number.'),
  maxLength: z.int().min(1).optional().describe('The most characters of a string.'),
  maxItems: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('The most values of an array; 1,000 where absent.'),
})

/** One parameter of a declared tool. */
export type DeclaredParameter = z.output<typeof parameter>

/** A statement of the operator's that becomes a tool. */
export const declaredTool = z.strictObject({
  database: z.string().describe('Which of this connection’s databases it runs on.'),
  title: z.string().min(1).optional().describe('A short name for people.'),
  description: z.string().min(1).describe('What it does and when to use it, told to the model.'),
  statement: z
    .string()
    .min(1)
    .max(20_000)
    .describe(
      'One SQL statement. The parameters are bound to $1, $2, … or ? in the order in which they stand below.',
    ),
  parameters: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'a lower-case letter, then letters, digits and `_`'),
      parameter.describe('One parameter.'),
    )
    .default({})
    .describe(
      'The tool’s parameters by name, in the order of the placeholders. Their values are only ever bound.',
    ),
  effect: z
    .enum(['read', 'idempotent-write', 'write', 'destructive'])
    .default('read')
    .describe('What it does to the data. All but `read` need a database with `write: true`.'),
  result: z
    .enum(['rows', 'one'])
    .default('rows')
    .describe(
      '`one`: it answers {success, data} with its one row, and fails with ROW_NOT_FOUND where there is none.',
    ),
  output: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'A JSON Schema of each row. Clients are told it, and an answer that does not fit fails with QUALITY_REJECTED.',
    ),
})

export type DeclaredTool = z.output<typeof declaredTool>
