import { z } from 'zod'

/** Names that a toolset with a search gives itself. */
export const searchToolNames = ['search_tools', 'call_tool'] as const

/** More are no selection any more. */
const patternsMax = 1_000

const pattern = z
  .string()
  .max(256)
  .regex(
    /^(?:\*|[a-z0-9*-]+:\S+)$/,
    'a pattern is of ids: "database:execute_query", "database:*", "*:send", "*"',
  )
const patterns = z.array(pattern).max(patternsMax).default([])

const overrideSchema = z.strictObject({
  tool: z
    .string()
    .max(256)
    .regex(/^[a-z0-9-]+:[^\s*]+$/, 'an override is of one tool: "mail:send_email"')
    .describe('The id of the tool.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'a tool’s name has at most 64 characters, of A-Z, a-z, 0-9, _ and -')
    .optional()
    .describe('The name that clients see, exactly. Default: `{connection}__{tool}`.'),
  description: z
    .string()
    .min(1)
    .max(4_000)
    .optional()
    .describe('What models read instead of the tool’s own description.'),
  arguments: z
    .record(z.string().min(1).max(256), z.unknown())
    .optional()
    .describe('Fixed values, by argument. Callers neither see these arguments nor may give them.'),
  category: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('The category that a search finds it under. Default: the tool’s own, or `general`.'),
})

/** A named selection of what connections offer. */
export const toolsetSchema = z.strictObject({
  description: z
    .string()
    .min(1)
    .max(2_000)
    .optional()
    .describe('What the toolset is for. Clients are told when they connect, and with `search_tools`.'),
  tools: z
    .array(z.union([pattern, overrideSchema]))
    .max(patternsMax)
    .default([])
    .describe(
      'Its tools: ids, patterns, and tools with changes. A tool with changes is served with them alone, whatever pattern fits it too.',
    ),
  exclude: patterns.describe('Tools that it never holds, whatever else names them.'),
  prompts: patterns.describe('Its prompts, by `{connection}:{name}` or pattern.'),
  resources: patterns.describe('Its resources, by `{connection}:{uri}` or pattern.'),
  search: z
    .boolean()
    .default(false)
    .describe('True serves `search_tools` and `call_tool` in place of the list, for hundreds of tools.'),
  pinned: patterns.describe('Tools that are listed beside these two.'),
})
