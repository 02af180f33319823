import { EventEmitter, once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import { type AnyConnector, defineConnector } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import { InputRequired, type Result } from '../../core/outcome.ts'
import { type JsonSchema, jsonSchema } from '../../core/schema.ts'
import type { Effect, RunContext, Tool } from '../../core/tool.ts'

type Input = Readonly<Record<string, unknown>>

/** A connector whose tools do what tests of a frontend need done, and remember that they did it. */
export interface Probe {
  readonly connector: AnyConnector
  /** What ran, in order: `{tool}` when it starts, `{tool}:aborted` when it is told to stop. */
  readonly seen: string[]
  /** What the last `context` tool was given. */
  readonly contexts: RunContext[]
  /** Resolves at the next entry of `seen` of this name. */
  when(name: string): Promise<void>
  /** Adds a tool and tells so. */
  addTool(name: string): void
}

export function createProbe(): Probe {
  const events = new EventEmitter()
  const seen: string[] = []
  const contexts: RunContext[] = []
  const note = (name: string) => {
    seen.push(name)
    events.emit(name)
  }
  const when = async (name: string) => {
    await once(events, name)
  }
  let tools = [...createTools(note, contexts), ...createPacedTools(note, when)]
  const connector = defineConnector({
    type: 'probe',
    summary: 'Tools for tests.',
    config: z.strictObject({}),
    open: async () => ({
      targets: () => tools,
      onChange(listener) {
        events.on('changed', listener)
        return { dispose: () => events.off('changed', listener) }
      },
      check: async () => {},
      close: async () => {},
    }),
  })
  const addTool = (name: string) => {
    tools = [...tools, makeTool(name, 'read', {}, async () => ({ content: [] }))]
    events.emit('changed')
  }
  // For clients in another process, which have no other way to make the tools change.
  events.on('change', () => addTool(`added_${tools.length}`))
  return {
    connector,
    seen,
    contexts,
    when,
    addTool,
  }
}

function makeTool(
  name: string,
  effect: Effect,
  input: JsonSchema,
  run: Tool<Input>['run'],
  more: Pick<Tool, 'output'> = {},
): Tool {
  const tool: Tool<Input> = {
    kind: 'tool',
    name,
    description: `The ${name} tool.`,
    effect,
    input: jsonSchema<Input>({ type: 'object', ...input }),
    run,
    ...more,
  }
  return tool as Tool
}

function createTools(note: (name: string) => void, contexts: RunContext[]): readonly Tool[] {
  const noted = (
    name: string,
    effect: Effect,
    input: JsonSchema,
    run: Tool<Input>['run'],
    more?: Pick<Tool, 'output'>,
  ) => {
    const notedRun: Tool<Input>['run'] = (given, context) => {
      note(name)
      return run(given, context)
    }
    return makeTool(name, effect, input, notedRun, more)
  }
  const region = { type: 'string', 'x-mcp-header': 'Region' }
  return [
    noted('echo', 'read', {}, async (input) => ({ structuredContent: { echo: input } })),
    noted('strict', 'read', { properties: { n: { type: 'integer' } }, required: ['n'] }, async () =>
      text('ok'),
    ),
    noted('greet', 'read', {}, async () => ({ structuredContent: { greeting: 'hello' } }), {
      output: jsonSchema({
        type: 'object',
        properties: { greeting: { type: 'string' } },
        required: ['greeting'],
      }),
    }),
    noted('remove', 'destructive', {}, async () => text('removed')),
    noted('region', 'read', { properties: { region } }, async (input) => text(String(input['region']))),
    noted('context', 'read', {}, async (_input, context) => {
      contexts.push(context)
      return text('noted')
    }),
    noted('fail', 'read', {}, async () => {
      throw new WeirError('SQL_ERROR', 'no such table: t', { hint: 'Look at the tables.' })
    }),
    noted('change', 'write', {}, async () => text('changed')),
    noted('crash', 'read', {}, async () => {
      throw new Error('password=hunter2')
    }),
    noted('huge', 'read', {}, async ({ bytes }) => text('x'.repeat(Number(bytes)))),
    noted('slow', 'read', {}, (_input, context) => waitForAbort(context, () => note('slow:aborted'))),
    noted('ask', 'read', {}, ask),
    ...createTalkingTools(noted, note),
  ]
}

type Noted = (name: string, effect: Effect, input: JsonSchema, run: Tool<Input>['run']) => Tool
const text = (value: string): Result => ({ content: [{ type: 'text', text: value }] })

/** Tools that say something before their call ends, or after. */
function createTalkingTools(noted: Noted, note: (name: string) => void): readonly Tool[] {
  return [
    noted('logs', 'read', {}, async (_input, context) => {
      for (const level of ['debug', 'info', 'warning', 'error'] as const)
        context.emit({ kind: 'log', level, logger: 'probe', data: level })
      return text('logged')
    }),
    noted('progress', 'read', {}, async ({ steps }, context) => {
      for (let step = 1; step <= Number(steps); step += 1)
        context.emit({ kind: 'progress', progress: step, total: Number(steps), message: `step ${step}` })
      return text('done')
    }),
    noted('late', 'read', {}, async (_input, context) => {
      void nextTurn()
        .then(nextTurn)
        .then(() => {
          context.emit({ kind: 'progress', progress: 1 })
          note('late:emitted')
        })
      return text('answered')
    }),
    noted('stubborn', 'read', {}, async (_input, context) => {
      context.emit({ kind: 'progress', progress: 1 })
      if (!context.signal.aborted) await once(context.signal, 'abort')
      context.emit({ kind: 'progress', progress: 2 })
      note('stubborn:emitted')
      return text('too late')
    }),
    noted('flood', 'read', {}, (input, context) => flood(input, context, () => note('flood:done'))),
  ]
}

/** Progress whose every step waits until the client has called `step`: what comes in one chunk, the SDKs may lose. */
function createPacedTools(note: (name: string) => void, when: Probe['when']): readonly Tool[] {
  return [
    makeTool('paced', 'read', {}, async (_input, context) => {
      for (let step = 1; step <= 3; step += 1) {
        const heard = when('step')
        context.emit({ kind: 'progress', progress: step, total: 3 })
        await heard
      }
      return { content: [] }
    }),
    makeTool('step', 'read', {}, async () => {
      note('step')
      return { content: [] }
    }),
  ]
}

/** Ends only when it is told to. */
async function waitForAbort({ signal }: RunContext, aborted: () => void): Promise<Result> {
  if (!signal.aborted) await once(signal, 'abort')
  aborted()
  throw signal.reason
}

async function ask(_input: Input, { answers }: RunContext): Promise<Result | InputRequired> {
  if (answers?.resume === undefined) {
    const params = { mode: 'form', message: 'Who?', requestedSchema: { type: 'object', properties: {} } }
    return new InputRequired({ who: { method: 'elicitation/create', params } }, 'round-1')
  }
  return { structuredContent: { resume: answers.resume, responses: answers.responses } }
}

/** Says far more than a reader that does not read could hold. */
async function flood({ count, bytes }: Input, context: RunContext, done: () => void): Promise<Result> {
  const message = 'x'.repeat(Number(bytes))
  for (let step = 1; step <= Number(count) && !context.signal.aborted; step += 1) {
    context.emit({ kind: 'progress', progress: step, message })
    if (step % 16 === 0) await nextTurn()
  }
  done()
  return { content: [{ type: 'text', text: 'flooded' }] }
}
