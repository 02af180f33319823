import { EventEmitter, once } from 'node:events'
import { z } from 'zod'
import type { Catalog, Entry } from '../../core/catalog.ts'
import { type AnyConnector, type Connection, defineConnector } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import { InputRequired, type Result } from '../../core/outcome.ts'
import { jsonSchema } from '../../core/schema.ts'
import type {
  Completion,
  CompletionInput,
  Prompt,
  ReadInput,
  Resource,
  ResourceTemplate,
  RunContext,
  Target,
  Tool,
} from '../../core/tool.ts'

/** A connector of resources, templates and prompts that do what tests of a frontend need done. */
export interface Library {
  readonly connector: AnyConnector
  /** What ran and what was given to it: `read {uri}`, `get {name}`, `complete {name}`, and `stopped {uri}`. */
  readonly seen: string[]
  /** Resources that are followed now. */
  watching(): number
  /** Tells whoever follows the resource of one shelf that it has changed. */
  change(shelf: string, uri: string): void
  /** Adds a resource and a prompt to every shelf, and tells so. */
  add(name: string): void
  /** Resolves at the next entry of `seen` of this text. */
  when(what: string): Promise<void>
  /** Connections wait with opening until this is called. */
  unlock(): void
  /** Gives `call_tool` the tools that it can stand for. */
  use(catalog: Catalog): void
}

type Note = (what: string) => void

/** Two connections of it share `note:shared`; the rest of their URIs end in the shelf's name. */
export function createLibrary(isLocked = false): Library {
  const events = new EventEmitter()
  events.setMaxListeners(20_000)
  const seen: string[] = []
  const added: string[] = []
  const count = { watching: 0 }
  let catalog: Catalog | undefined
  let unlock = () => {}
  const unlocked = new Promise<void>((resolve) => {
    unlock = resolve
  })
  if (!isLocked) unlock()
  const note: Note = (what) => {
    seen.push(what)
    events.emit(what)
  }
  // For clients in another process, which have no other way to make a resource change.
  for (const shelf of ['a', 'b'])
    events.on(`read poke:${shelf}`, () => events.emit(`changed ${shelf} note:${shelf}`))
  const connector = defineConnector<{ shelf: string }>({
    type: 'library',
    summary: 'Resources and prompts for tests.',
    config: z.strictObject({ shelf: z.string() }),
    open: async ({ shelf }) => {
      await unlocked
      return openShelf(shelf, { events, added, note, count, stoodFor: (id) => catalog?.find(id) })
    },
  })
  return {
    connector,
    seen,
    watching: () => count.watching,
    change: (shelf, uri) => void events.emit(`changed ${shelf} ${uri}`),
    add(name) {
      added.push(name)
      events.emit('added')
    },
    async when(what) {
      await once(events, what)
    },
    unlock,
    use(used) {
      catalog = used
    },
  }
}

/** What the connections of one library share. */
interface Shared {
  readonly events: EventEmitter
  readonly added: readonly string[]
  readonly note: Note
  readonly count: { watching: number }
  readonly stoodFor: (id: string) => Entry<Tool> | undefined
}

function openShelf(shelf: string, shared: Shared): Connection {
  const { events, added, note, count } = shared
  const fixed = createTargets(shelf, shared)
  let targets: readonly Target[] = fixed
  return {
    targets: () => targets,
    onChange(listener) {
      const changed = () => {
        const addTo = (name: string) => [createResource(`${name}:${shelf}`, note), createPrompt(name, note)]
        targets = [...fixed, ...added.flatMap(addTo)]
        listener()
      }
      events.on('added', changed)
      return { dispose: () => events.off('added', changed) }
    },
    watch(uri, listener) {
      if (uri.startsWith('mute:')) return undefined
      const event = `changed ${shelf} ${uri}`
      let isOpen = true
      count.watching += 1
      events.on(event, listener)
      return {
        dispose() {
          if (isOpen) count.watching -= 1
          isOpen = false
          events.off(event, listener)
        },
      }
    },
    check: async () => {},
    close: async () => {},
  }
}

const base = { description: 'For tests.', effect: 'read' } as const
const readInput = jsonSchema<ReadInput>({ type: 'object' })

function createTargets(shelf: string, { note, ...shared }: Shared): readonly Target[] {
  const names = [
    'note',
    'image',
    'slow',
    'ask',
    'gone',
    'gone-modern',
    'invalid',
    'visit',
    'down',
    'broken',
    'mute',
    'poke',
  ]
  const complete = createCompletion(note)
  const template: ResourceTemplate = {
    ...base,
    kind: 'resource-template',
    name: `book-${shelf}:{title}`,
    input: readInput,
    matches: (uri) => uri.startsWith(`book-${shelf}:`) && !uri.includes('{'),
    completion: complete,
    run: ({ uri }, context) => read(uri, context, note),
  }
  const delegating: Tool<Readonly<Record<string, unknown>>> = {
    ...base,
    kind: 'tool',
    name: 'call_tool',
    input: jsonSchema({ type: 'object' }),
    run: async () => Promise.reject(new Error('The tool that stands for others was run itself.')),
    delegate({ id, input }) {
      if (typeof id !== 'string') throw new WeirError('INVALID_PARAMS', '"id" must be a string.')
      const entry = shared.stoodFor(id)
      if (entry === undefined) throw new WeirError('TOOL_NOT_FOUND', `Tool ${id} not found.`)
      return { entry, input: input as Record<string, unknown> }
    },
  }
  return [
    ...['note:shared', ...names.map((name) => `${name}:${shelf}`)].map((uri) => createResource(uri, note)),
    template,
    { ...createPrompt('greet', note), completion: complete },
    createPrompt('refuse', note),
    createPrompt('wonder', note),
    delegating as Tool,
  ]
}

function createResource(uri: string, note: Note): Resource {
  const definition = { uri, name: uri, mimeType: 'text/plain', annotations: { priority: 1 }, future: [1] }
  const run: Resource['run'] = (input, context) => read(input.uri, context, note)
  return { ...base, kind: 'resource', name: uri, input: readInput, definition, run }
}

/** What a read does is the first word of its URI. */
async function read(uri: string, context: RunContext, note: Note): Promise<Result | InputRequired> {
  note(`read ${uri}`)
  const kind = uri.slice(0, uri.indexOf(':'))
  const elsewhere = { uri: 'note:elsewhere', text: 'a second part', future: true }
  switch (kind) {
    case 'image':
      return {
        contents: [{ uri, mimeType: 'image/png', blob: 'aGVsbG8=' }],
        ttlMs: 60_000,
        cacheScope: 'public',
      }
    case 'slow':
      return waitForStop(uri, context, note)
    case 'ask':
      return ask(context, { contents: [{ uri, text: JSON.stringify(context.answers) }] })
    case 'gone':
      throw upstream(-32002, { uri })
    case 'gone-modern':
      throw upstream(-32602, { uri })
    case 'invalid':
      throw upstream(-32602, 'no such page')
    case 'visit':
      throw upstream(-32042, { elicitations: [{ mode: 'url', url: 'https://example.com/' }] })
    case 'down':
      throw new WeirError('CONNECTION_UNAVAILABLE', 'The connection is not up.')
    case 'broken':
      throw new Error('password=hunter2')
    default:
      return { contents: [{ uri, text: `text of ${uri}`, future: [1] }, elsewhere], _meta: { 'a/b': 1 } }
  }
}

function upstream(code: number, data: unknown): WeirError {
  return new WeirError('UPSTREAM_ERROR', 'The upstream says no.', { data: { code, message: 'no', data } })
}

async function waitForStop(uri: string, context: RunContext, note: Note): Promise<Result> {
  context.emit({ kind: 'progress', progress: 1, total: 2 })
  if (!context.signal.aborted) await once(context.signal, 'abort')
  note(`stopped ${uri}`)
  throw context.signal.reason
}

function ask({ answers }: RunContext, result: Result): Result | InputRequired {
  if (answers?.resume !== undefined) return result
  const params = { mode: 'form', message: 'Which?', requestedSchema: { type: 'object', properties: {} } }
  return new InputRequired({ which: { method: 'elicitation/create', params } }, 'round-1')
}

function createPrompt(name: string, note: Note): Prompt {
  return {
    ...base,
    kind: 'prompt',
    name,
    input: jsonSchema<Readonly<Record<string, string>>>({
      type: 'object',
      properties: { who: { type: 'string', description: 'Whom.' } },
      required: name === 'greet' ? ['who'] : [],
    }),
    async run(input, context) {
      note(`get ${name}`)
      if (name === 'refuse') throw upstream(-32602, 'bad argument')
      const text = `Hello ${input['who']}`
      const result = { messages: [{ role: 'user', content: { type: 'text', text, future: 1 } }], future: 2 }
      return name === 'wonder' ? ask(context, result) : result
    },
  }
}

/** `many` has more values than the protocol lets pass, `ask` asks where it may not. */
function createCompletion(note: Note): Completion {
  return {
    ...base,
    kind: 'completion',
    name: 'completion',
    input: jsonSchema<CompletionInput>({ type: 'object' }),
    async run({ argument, context: known }, context) {
      note(`complete ${argument.name}`)
      if (argument.value === 'ask') return ask(context, {})
      const count = argument.value === 'many' ? 150 : 2
      const values = Array.from({ length: count }, (_, at) => `${argument.value}${at}`)
      return { completion: { values, total: count, hasMore: false }, known: known?.arguments }
    },
  }
}

/** What a config says to have two of them, `a` and `b`. */
export const twoShelves = {
  connections: {
    a: { type: 'library', shelf: 'a' },
    b: { type: 'library', shelf: 'b' },
    probe: { type: 'probe' },
  },
}
