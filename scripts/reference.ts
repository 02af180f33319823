import { renderConfigSchema } from '../src/config/render-schema.ts'
import { builtInConnectors } from './built-in-connectors.ts'
import { renderCommandReference } from './render-command-reference.ts'
import { renderConfigReference } from './render-config-reference.ts'
import { renderConnectorReference } from './render-connector-reference.ts'
import { renderErrorReference } from './render-error-reference.ts'
import { openToolChapters, renderToolReference } from './render-tool-reference.ts'

/** A file that is written from the code, so that the two cannot differ. */
export interface Reference {
  /** From the repository's root. */
  readonly path: string
  /** The whole text, the same at every run. */
  readonly render: () => string
}

const toolChapters = await openToolChapters()

/** Every generated file: `write-reference.ts` writes them, and a test compares. */
export const references: readonly Reference[] = [
  { path: 'docs/errors.md', render: renderErrorReference },
  { path: 'docs/reference/configuration.md', render: renderConfigReference },
  { path: 'docs/reference/tools.md', render: () => renderToolReference(toolChapters) },
  ...toolChapters.map((chapter) => ({
    path: `docs/reference/connectors/${chapter.connector.type}.md`,
    render: () => renderConnectorReference(chapter),
  })),
  { path: 'docs/reference/command-line.md', render: renderCommandReference },
  {
    path: 'weir.schema.json',
    render: () => `${JSON.stringify(renderConfigSchema(builtInConnectors), undefined, 2)}\n`,
  },
]
