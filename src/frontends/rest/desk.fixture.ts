import { z } from 'zod'
import { embedWeir, type Weir } from '../../app.ts'
import { type Connector, defineConnector } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import { InputRequired } from '../../core/outcome.ts'
import { jsonSchema } from '../../core/schema.ts'
import type { RunContext, Tool } from '../../core/tool.ts'

/** The document's own sample tool (D4-011), as far as its schemas go. */
const emailInput = z.object({
  to: z.array(z.email()).describe('Recipients.'),
  subject: z.string().describe('The subject line.'),
  body: z.string().describe('The text, HTML.'),
  cc: z.array(z.email()).default([]).describe('Copies go here.'),
})
const emailOutput = z.object({ message_id: z.string(), status: z.string(), timestamp: z.iso.datetime() })

/** What happened at the desk, and what holds it up. */
export interface Desk {
  /** Every mail that was sent, in order. */
  readonly sent: unknown[]
  /** The call that `hold` holds; resolves when it is there. */
  readonly held: Promise<RunContext>
  /** Lets `hold` answer. */
  release(): void
  readonly connector: Connector
}

/** A connector whose tools do everything that a tool can do to a caller. */
export function createDesk(): Desk {
  const sent: unknown[] = []
  let hold = (_context: RunContext): void => {}
  const held = new Promise<RunContext>((resolve) => {
    hold = resolve
  })
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const anything = jsonSchema({ type: 'object' })
  const tool = (name: string, run: Tool['run'], more: Partial<Tool> = {}): Tool => ({
    kind: 'tool',
    name,
    description: `Does what ${name} says.`,
    effect: 'read',
    input: anything,
    run,
    ...more,
  })
  const tools: readonly Tool[] = [
    tool(
      'send_email',
      async (input) => {
        sent.push(input)
        const at = '2026-11-01T10:00:00Z'
        return { structuredContent: { message_id: `msg_${sent.length}`, status: 'sent', timestamp: at } }
      },
      { effect: 'write', input: emailInput, output: emailOutput },
    ),
    tool('say', async () => ({ content: [{ type: 'text', text: 'hello' }] }), { category: 'talk' }),
    tool('say_nothing', async () => ({})),
    tool('refuse', async () => ({ isError: true, content: [{ type: 'text', text: 'no such mailbox' }] })),
    tool('fail', () =>
      Promise.reject(new WeirError('SQL_ERROR', 'no such table: mails', { hint: 'Create it.' })),
    ),
    tool('break', () => Promise.reject(new TypeError('canary is undefined'))),
    tool('ask', async () => new InputRequired({ name: { method: 'elicitation/create' } })),
    tool('hold', async (_input, context) => {
      hold(context)
      await released
      return { structuredContent: { held: true } }
    }),
  ]
  const connector = defineConnector<{ only?: string[] | undefined }>({
    type: 'desk',
    summary: 'A desk with mail.',
    config: z.object({ only: z.array(z.string()).optional().describe('These tools alone.') }),
    open: async ({ only }) => ({
      targets: () => tools.filter(({ name }) => only === undefined || only.includes(name)),
      check: async () => {},
      close: async () => {},
    }),
  })
  return { sent, held, release, connector: connector as Connector }
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of the body.
  readonly body: any
}

/** A gateway with one desk called `desk` and one called `back` that only says and asks, on a port of its own. */
export interface Served {
  readonly desk: Desk
  readonly weir: Weir
  readonly url: string
  /** Throws unless the answer is JSON. */
  send(path: string, init?: RequestInit): Promise<Answer>
  /** Posts text to be executed. */
  post(text: string): Promise<Answer>
  execute(body: unknown): Promise<Answer>
}

export async function serveDesk(config: Readonly<Record<string, unknown>> = {}): Promise<Served> {
  const desk = createDesk()
  const weir = embedWeir({
    connectors: [desk.connector],
    config: {
      connections: { desk: { type: 'desk' }, back: { type: 'desk', only: ['say', 'ask'] } },
      server: { port: 0 },
      log: { level: 'silent' },
      ...config,
    },
  })
  const { url } = await weir.listen()
  const send: Served['send'] = async (path, init) => {
    const response = await fetch(`${url}${path}`, init)
    return { status: response.status, body: await response.json() }
  }
  const headers = { 'content-type': 'application/json' }
  const post: Served['post'] = (body) => send('/mcp/execute', { method: 'POST', body, headers })
  return { desk, weir, url, send, post, execute: (body) => post(JSON.stringify(body)) }
}
