import { toJsonSchema } from '../src/core/schema.ts'
import { listFields } from './list-fields.ts'
import { renderFields } from './render-config-reference.ts'
import { renderTools, type ToolChapter } from './render-tool-reference.ts'

const origin =
  '<!-- Written by scripts/write-reference.ts from the schemas in src/connectors/. Edit those instead. -->'

/** `docs/reference/connectors/{type}.md`: the keys of one type of connection, and the tools that it offers. */
export function renderConnectorReference(chapter: ToolChapter): string {
  const { type, summary, config } = chapter.connector
  const intro =
    'The keys stand beside `type` in the connection. What holds for all of them: [configuration](../configuration.md), [tools](../tools.md), [errors](../../errors.md).'
  const parts = [
    origin,
    `# Connections of type \`${type}\``,
    `${summary}\n\n${intro}`,
    `## Configuration\n\n${renderFields(listFields(toJsonSchema(config)))}`,
    renderTools(chapter),
  ]
  return `${parts.join('\n\n')}\n`
}
