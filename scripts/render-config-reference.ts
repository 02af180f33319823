import { fileSchema } from '../src/config/config.ts'
import { toJsonSchema } from '../src/core/schema.ts'
import { builtInConnectors } from './built-in-connectors.ts'
import { type Field, listFields, renderDefault } from './list-fields.ts'
import { renderTable } from './render-table.ts'

const introduction = `<!-- Written by scripts/write-reference.ts from the schemas in src/config/ and src/connectors/. Edit those instead. -->

# Configuration

One file, \`weir.yaml\` in the working folder or the one that \`--config\` names: YAML 1.2 or JSON in UTF-8, at most 1 MiB.
\`weir validate\` names everything that is wrong with it. Editors check it against
[weir.schema.json](../../weir.schema.json): begin the file with
\`# yaml-language-server: $schema=./weir.schema.json\`, as \`weir init\` does.

An unknown key is an error. Relative paths start at the file’s folder. \`{name}\` in a key below stands for a name that
you choose.`

const references = `## References

These work in every value, never in a key:

| written | becomes |
| --- | --- |
| \`\${VAR}\` | the environment variable; an error where it is not set |
| \`\${VAR:-default}\` | the variable, or the default where it is not set or empty |
| \`\${file:path}\` | the file’s text, at most 64 KiB of UTF-8, without its last line break |
| \`$$\` | one dollar sign; a \`$\` before anything but \`{\` and \`$\` stays as it is |

A default and a path may hold references themselves, 16 deep. What a variable or a file holds is never looked into
again. A value that is one reference alone may become a number or a boolean: \`port: "\${PORT:-8000}"\`. In YAML, quote
values that hold braces. What came from a variable or a file is covered as \`[redacted]\` in the log and in error
messages, unless it stands where everybody may see it: in \`server\`, \`log\`, \`policies\`, a toolset but for its fixed
arguments, a listed word, a number or a boolean. Values of fewer than four characters are not covered.`

const clients = `## Servers in the format of clients

\`mcpServers\` (Claude, Cursor) and \`servers\` (VS Code) are taken as those programs write them, so a file that holds
nothing else is a valid configuration. Each server becomes a connection of type \`mcp\`.

- Its name becomes lower-case, and whatever is not a letter from a to z or a digit becomes a dash: \`My Server_2\` is
  \`my-server-2\`. Two that become the same are an error.
- \`\${env:VAR}\` is read like \`\${VAR}\`. \`\${input:…}\` is an error: there is nobody to ask.
- \`disabled: true\` and \`enabled: false\` leave a server out, whatever else it says.
- Keys that clients use for themselves (\`timeout\`, \`alwaysAllow\`, \`envFile\` and others) are ignored with a warning;
  other unknown keys are errors.
- A URL that names \`localhost\` or a private address by number may be reached. For a name that only resolves to one,
  write a connection of type \`mcp\` with \`allowPrivate\`.
- Times, \`era\` and \`allowPrivate\` cannot be set here; a connection of type \`mcp\` has them.`

/** `docs/reference/configuration.md`: every key there is, but for those of each type of connection. */
export function renderConfigReference(): string {
  const file = listFields(toJsonSchema(fileSchema)).filter(({ path }) => path !== 'connections.{name}')
  const chapters = [introduction, renderFile(file), renderTypes(), references, clients]
  return `${chapters.join('\n\n')}\n`
}

function renderFile(fields: readonly Field[]): string {
  const note =
    'Each connection has a `type`; the keys beside it are those of its type, below. Of several policies the most exact pattern that sets a field wins.'
  // VS Code's block is the same as the other one, said once.
  const said = fields.filter(({ path }) => !path.startsWith('servers.'))
  return `## The file\n\n${note}\n\n${renderFields(said)}`
}

function renderTypes(): string {
  const rows = builtInConnectors.map(({ type, summary }) => [`[\`${type}\`](connectors/${type}.md)`, summary])
  return `## Types of connections\n\n${renderTable(['type', 'what it reaches'], rows)}`
}

/** Every key, its type, its default and what it is. */
export function renderFields(fields: readonly Field[]): string {
  const rows = fields.map((field) => [
    `\`${field.path}\``,
    field.type,
    renderDefault(field),
    field.description,
  ])
  return renderTable(['key', 'type', 'default', 'what it is'], rows)
}
