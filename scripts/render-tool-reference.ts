import { tmpdir } from 'node:os'
import type { AnyConnector } from '../src/core/connector.ts'
import { silentLogger } from '../src/core/logger.ts'
import { toJsonSchema } from '../src/core/schema.ts'
import { type Effect, isTool, type Tool } from '../src/core/tool.ts'
import { builtInConnectors } from './built-in-connectors.ts'
import { type Field, listFields, renderDefault } from './list-fields.ts'
import { renderTable } from './render-table.ts'

interface Sample {
  /** A configuration with which the connector offers every tool it has. */
  readonly config: unknown
  /** What the tools themselves do not say. */
  readonly note: string
}

/** By connector type; a connector whose tools are an upstream's own has only a note. */
const samples: Readonly<Record<string, Sample | string>> = {
  sql: {
    config: { databases: { shop: { url: 'sqlite:./shop.db', write: true } } },
    note: '`execute_transaction` is offered only where at least one database of the connection has `write: true`. Rows of one call take at most 4 MiB as JSON. Statements in `tools` are offered beside these, under the names that they have there.',
  },
  http: {
    config: {
      apis: {
        payments: {
          baseUrl: 'https://pay.example/v1',
          description: 'Payments and refunds.',
          resources: {
            refund: {
              path: '/refunds',
              model: { id: 'string', amount: 'integer' },
              operations: { get: {}, list: {}, create: {}, update: {}, delete: {} },
            },
          },
        },
      },
      webhooks: {
        secrets: { partner: { secret: 'an example, no secret', targets: ['https://partner.example/hooks'] } },
      },
    },
    note: 'The first three take any API of the connection; their descriptions end in a list of them, here of an API `payments`. The effect of `http_request` and `api_batch_request` is the worst that the APIs’ `methods` allow: `destructive` with DELETE, `read` with GET alone, else `write`. `webhook_send` is there where `webhooks` are configured. The tools in between are those of `resources` and `calls`; here they are those of a resource `refund`. An API with an `openapi` document has a tool for each operation besides, whose arguments are the document’s.',
  },
  aws: {
    config: {
      credentials: { environment: true },
      s3: { operations: ['list', 'get', 'put', 'delete'] },
      dynamodb: { operations: ['get_item', 'put_item', 'query', 'scan'] },
      lambda: {},
      sqs: { operations: ['send_message', 'receive_messages', 'delete_message'] },
      sns: {},
      secrets: { allowValues: ['app/*'] },
    },
    note: 'Each service that the config names is one tool. Its parameters, its description and its effect follow its `operations`; here all are allowed. `operation` decides which parameters are needed, as the schema says with `if` and `then`.',
  },
  azure: {
    config: {
      credentials: { accountName: 'reports', sas: 'sig=0' },
      blob: { operations: ['list', 'get', 'put', 'delete'] },
    },
    note: 'Its parameters, its description and its effect follow `operations`; here all are allowed. They are those of `s3_operations`, with `container` for `bucket`.',
  },
  gcs: {
    config: { credentials: { anonymous: true }, operations: ['list', 'get', 'put', 'delete'] },
    note: 'Its parameters, its description and its effect follow `operations`; here all are allowed. They are those of `s3_operations`, without `region`.',
  },
  queue: {
    config: { brokers: { default: { url: 'redis://127.0.0.1:6379' } } },
    note: 'Each tool is offered only where at least one broker of the connection may be used so (`send`, `receive`). What a kind of broker cannot do is refused with `QUEUE_UNSUPPORTED`.',
  },
  mcp: 'The tools are the server’s own: their names, descriptions and schemas pass through as they came. Their effect is `write` whatever the server hints, which is passed on to clients all the same.',
  email: {
    config: { host: 'smtp.example.com', from: 'weir@example.com' },
    note: 'The tool declares that it wants consent and at most 10 calls an hour (`requires_confirmation`, `rate_limit`); nothing enforces that yet.',
  },
  custom:
    'The tools are the module’s own, with the effects that it states. See [write a connector](../../how-to/write-a-connector.md).',
  'rest-dialect':
    'The tools are the server’s own, and those of the files in `definitions`. Their effect is `write` whatever the server says.',
}

const effects: Readonly<Record<Effect, string>> = {
  read: 'changes nothing',
  'idempotent-write': 'changes something; twice is the same as once',
  write: 'changes something; twice is twice',
  destructive: 'may delete or overwrite',
}

const introduction = `<!-- Written by scripts/write-reference.ts from the tools in src/connectors/. Edit those instead. -->

# Tools

A tool’s id is \`{connection}:{tool}\`, where the connection’s name is yours: the REST dialect, the command line, policies
and the log use it. On \`/mcp\` its name is \`{connection}__{tool}\`; on \`/mcp/{connection}\` it is the bare \`{tool}\`. An MCP
name longer than 40 characters, or with characters that models refuse, is cut and ends in eight digits of a hash, so that
it stays the same.

Arguments that break a tool’s schema are refused with \`INVALID_INPUT\` before the tool runs. Every failure has one of the
[error codes](../errors.md).

${renderTable(
  ['effect', 'meaning'],
  Object.entries(effects).map(([effect, meaning]) => [`\`${effect}\``, meaning]),
)}`

/** The tools of one connector, or nothing where they are an upstream's own. */
export interface ToolChapter {
  readonly connector: AnyConnector
  readonly note: string
  readonly tools: readonly Tool[]
}

/** Opens every connector that has tools of its own: only an open connection knows them. None of them touches its system for that. */
export async function openToolChapters(): Promise<readonly ToolChapter[]> {
  return Promise.all(builtInConnectors.map(openChapter))
}

async function openChapter(connector: AnyConnector): Promise<ToolChapter> {
  const sample = samples[connector.type]
  if (sample === undefined)
    throw new Error(`Give a sample configuration for the connector ${connector.type}.`)
  if (typeof sample === 'string') return { connector, note: sample, tools: [] }
  const connection = await connector.open(connector.config.parse(sample.config), {
    name: connector.type,
    baseDir: tmpdir(),
    log: silentLogger,
    signal: new AbortController().signal,
  })
  const tools = connection.targets().filter(isTool)
  await connection.close()
  return { connector, note: sample.note, tools }
}

/** `docs/reference/tools.md`: what all tools have in common, and where each of them stands. */
export function renderToolReference(chapters: readonly ToolChapter[]): string {
  const rows = chapters.flatMap(({ connector, tools }) =>
    tools.map(({ name, title, effect }) => [
      `[\`${name}\`](connectors/${connector.type}.md#connection${name})`,
      `\`${connector.type}\``,
      `\`${effect}\``,
      title ?? '',
    ]),
  )
  const index = renderTable(['tool', 'type of connection', 'effect', 'what for'], rows)
  const note =
    'Each stands on the page of its type of connection. Effects are those of the samples there; where a connection allows less, they are milder.'
  return `${introduction}\n\n## All tools\n\n${note}\n\n${index}\n`
}

/** The tools of one page of `docs/reference/connectors/`. */
export function renderTools({ note, tools }: ToolChapter): string {
  return [`## Tools\n\n${note}`, ...tools.map(renderTool)].join('\n\n')
}

function renderTool({ name, description, effect, input, output }: Tool): string {
  const parts = [
    `### \`{connection}:${name}\``,
    description.replace(/\n(?=-)/, '\n\n'),
    `Effect: \`${effect}\`.`,
    `**Parameters**\n\n${renderParameters(listFields(toJsonSchema(input)))}`,
  ]
  if (output !== undefined) parts.push(`**Result**\n\n${renderResult(listFields(toJsonSchema(output)))}`)
  return parts.join('\n\n')
}

function renderParameters(fields: readonly Field[]): string {
  const rows = fields.map((field) => [
    `\`${field.path}\``,
    field.type,
    renderDefault(field),
    field.description,
  ])
  return renderTable(['parameter', 'type', 'default', 'what it is'], rows)
}

function renderResult(fields: readonly Field[]): string {
  const rows = fields.map(({ path, type, description, isRequired, isOneForm }) => [
    `\`${path}\``,
    type,
    isOneForm ? 'in one form' : isRequired ? 'always' : 'sometimes',
    description,
  ])
  return renderTable(['field', 'type', 'there', 'what it is'], rows)
}
