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

/** `count` tools of the size that real servers have: two sentences, four arguments, one of them nested; 0.7 kB each. */
export function createRealisticTools(count: number): readonly ToolDefinition[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => createRealisticTool(index))
}

function createRealisticTool(index: number): ToolDefinition {
  const verb = verbs[index % verbs.length]!
  const noun = nouns[Math.floor(index / verbs.length) % nouns.length]!
  const things = `${noun.replace('_', ' ')}s`
  return {
    name: `${verb}_${noun}_${index}`,
    description: `${verb} ${things} of one project, newest first. Never guess an identifier: ask for it.`,
    inputSchema: {
      type: 'object',
      properties: {
        project: { type: 'string', minLength: 1, description: 'The project, as `owner/name`.' },
        id: { type: 'integer', minimum: 1, description: `The number of one of the ${things}.` },
        state: { type: 'string', enum: ['open', 'closed', 'all'], description: 'Which of them to look at.' },
        options: {
          type: 'object',
          description: 'How to answer.',
          properties: {
            page_size: { type: 'integer', minimum: 1, maximum: 100, description: 'How many to a page.' },
            cursor: { type: 'string', description: 'Where the previous page ended.' },
          },
          additionalProperties: false,
        },
      },
      required: ['project'],
      additionalProperties: false,
    },
  }
}
