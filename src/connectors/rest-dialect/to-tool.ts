import { jsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import type { Definition } from './definition.ts'
import type { DialectClient } from './dialect-client.ts'

/**
 * A tool of the server as one of Weir. Its effect is `write` whatever the server says of it. What the dialect has and
 * MCP has not stands in `_meta["weir/definition"]`.
 */
export function toTool(definition: Definition, client: DialectClient, timeoutMs: number): Tool {
  const { id, name, description, category, input, output, more } = definition
  const asked = { slug: name, hasOutput: output !== undefined }
  return {
    kind: 'tool',
    name,
    description,
    category,
    effect: 'write',
    input: jsonSchema(input),
    ...(output === undefined ? {} : { output: jsonSchema(output) }),
    definition: {
      name,
      description,
      inputSchema: input,
      ...(output === undefined ? {} : { outputSchema: output }),
      _meta: { 'weir/definition': { id, category, ...more } },
    },
    timeoutMs,
    run: (arguments_, context) => client.execute(asked, arguments_, context.stop),
  }
}
