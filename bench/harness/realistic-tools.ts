/** A tool as tools/list shows it. */
export interface ToolDefinition {
  readonly name: string
  readonly description: string
  readonly inputSchema: {
    readonly type: 'object'
    readonly properties: Readonly<Record<string, object>>
    readonly required: readonly string[]
    readonly additionalProperties: boolean
  }
}

/** The one tool that is called. */
export const echoDefinition: ToolDefinition = {
  name: 'echo',
  description: 'Answers with the text it was given.',
  inputSchema: {
    type: 'object',
    properties: { text: { type: 'string', description: 'What to say back.' } },
    required: ['text'],
    additionalProperties: false,
  },
}

const verbs = ['list', 'get', 'create', 'update', 'delete', 'search', 'archive', 'export', 'assign', 'merge']
const nouns = ['issue', 'invoice', 'customer', 'pull_request', 'document', 'deployment', 'ticket', 'contract']

/** `count` tools of the size real servers have: three sentences, six arguments, one of them nested; 1.5 kB each. */
export function createRealisticTools(count: number): readonly ToolDefinition[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => createRealisticTool(index))
}

function createRealisticTool(index: number): ToolDefinition {
  const verb = verbs[index % verbs.length]!
  const noun = nouns[Math.floor(index / verbs.length) % nouns.length]!
  const things = `${noun.replace('_', ' ')}s`
  return {
    name: `${verb}_${noun}_${index}`,
    description:
      `${verb} ${things} of one project, the newest first. Answers with identifiers, titles, states and the ` +
      `time of the last change. Use it only when the person has named the project; ask for it otherwise, ` +
      `and never guess an identifier.`,
    inputSchema: {
      type: 'object',
      properties: createProperties(things),
      required: ['project', 'id'],
      additionalProperties: false,
    },
  }
}

function createProperties(things: string): Record<string, object> {
  return {
    project: { type: 'string', minLength: 1, maxLength: 200, description: 'The project, as `owner/name`.' },
    id: {
      type: 'integer',
      minimum: 1,
      description: `The number that the ${things} are known by in the project.`,
    },
    state: {
      type: 'string',
      enum: ['open', 'closed', 'all'],
      default: 'open',
      description: 'Which of them to look at; closed ones are kept for a year.',
    },
    labels: {
      type: 'array',
      items: { type: 'string', maxLength: 50 },
      maxItems: 20,
      description: 'Labels that all of them carry.',
    },
    since: {
      type: 'string',
      format: 'date-time',
      description: 'Only those changed at or after this time, ISO 8601.',
    },
    options: {
      type: 'object',
      description: 'How to answer.',
      properties: {
        page_size: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          default: 30,
          description: 'How many to a page.',
        },
        cursor: { type: 'string', description: 'Where the previous page ended.' },
        with_comments: { type: 'boolean', default: false, description: 'Whether to include the comments.' },
      },
      additionalProperties: false,
    },
  }
}
