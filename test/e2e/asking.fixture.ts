import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Client as ClientV2,
  type StreamableHTTPClientTransport as HttpV2,
} from '@modelcontextprotocol/client'
import type { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import type { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { embedWeir, type Weir } from '../../src/app.ts'
import { createAskingV1Server } from '../../src/connectors/mcp/fixtures/asking-v1-server.fixture.ts'
import { createAskingV2Server } from '../../src/connectors/mcp/fixtures/asking-v2-server.fixture.ts'
import { startSdkV1, startSdkV2 } from '../../src/connectors/mcp/fixtures/sdk-http.fixture.ts'
import { createFixtureState } from '../conformance/fixture/fixture-state.ts'
import { serveHttp } from '../conformance/fixture/serve-http.ts'

/** A question as it reached a client. */
export interface Heard {
  readonly method: string
  readonly params?: unknown
}
/** What a client does with a question; what it throws is its error response. */
export type Reply = (question: Heard) => unknown

/** One client of an official SDK, and the questions it was asked. */
export interface AskedClient {
  readonly heard: Heard[]
  reply: Reply
  call(name: string, input?: object, options?: { signal?: AbortSignal }): Promise<CallAnswer>
  list(): Promise<unknown>
  prompt(name: string): Promise<unknown>
  read(uri: string): Promise<unknown>
  close(): Promise<void>
}
export interface CallAnswer {
  readonly isError?: boolean | undefined
  readonly content?: unknown
  readonly structuredContent?: unknown
  readonly _meta?: Readonly<Record<string, unknown>> | undefined
}

/** Everything a client may declare. */
export const everything = {
  elicitation: { form: {}, url: {} },
  sampling: { tools: {} },
  roots: { listChanged: true },
}
const info = { name: 'asked', version: '1' }

export async function connectV1(transport: HttpV1 | StdioV1, capabilities: object = everything) {
  const client = new ClientV1(info, { capabilities })
  const heard: Heard[] = []
  const asked: AskedClient = {
    heard,
    reply: () => ({}),
    call: async (name, input = {}, options = {}) =>
      (await client.callTool(
        { name, arguments: input as Record<string, unknown> },
        undefined,
        options,
      )) as CallAnswer,
    list: () => client.listTools(),
    prompt: (name) => client.getPrompt({ name }),
    read: (uri) => client.readResource({ uri }),
    close: () => client.close(),
  }
  const hear = ({ method, params }: Heard) => {
    heard.push({ method, params })
    return asked.reply({ method, params }) as never
  }
  if ('elicitation' in capabilities) client.setRequestHandler(ElicitRequestSchema, hear)
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ method, params }) => {
    heard.push({ method, params })
  })
  if ('sampling' in capabilities) client.setRequestHandler(CreateMessageRequestSchema, hear)
  if ('roots' in capabilities) client.setRequestHandler(ListRootsRequestSchema, hear)
  // The SDK's own classes do not agree under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientV1['connect']>[0])
  return asked
}

export async function connectV2(
  transport: HttpV2 | StdioV2,
  era: 'modern' | 'legacy',
  capabilities: object = everything,
) {
  const mode = era === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {}
  const client = new ClientV2(info, { capabilities, ...mode })
  const heard: Heard[] = []
  const asked: AskedClient = {
    heard,
    reply: () => ({}),
    call: async (name, input = {}, options = {}) =>
      (await client.callTool({ name, arguments: input as Record<string, unknown> }, options)) as CallAnswer,
    list: () => client.listTools(),
    prompt: (name) => client.getPrompt({ name }),
    read: (uri) => client.readResource({ uri }),
    close: () => client.close(),
  }
  const hear = ({ method, params }: Heard) => {
    heard.push({ method, params })
    return asked.reply({ method, params }) as never
  }
  if ('elicitation' in capabilities) client.setRequestHandler('elicitation/create', hear)
  if ('sampling' in capabilities) client.setRequestHandler('sampling/createMessage', hear)
  if ('roots' in capabilities) client.setRequestHandler('roots/list', hear)
  await client.connect(transport)
  return asked
}

const fixtures = join(import.meta.dirname, '../../src/connectors/mcp/fixtures')
const weirEntry = join(import.meta.dirname, '../../bin/weir.js')

/** A command that runs a fixture server over stdio. */
export function stdioFixture(name: string): { command: string; args: string[] } {
  return { command: process.execPath, args: [join(fixtures, `${name}.fixture.ts`)] }
}

/** A Weir with every kind of asking server behind it. */
export interface AskingGateway {
  readonly weir: Weir
  readonly url: URL
  /** How to run the same configuration over stdio. */
  readonly child: { readonly command: string; readonly args: string[] }
  close(): Promise<void>
}

export async function startAskingGateway(more: object = {}): Promise<AskingGateway> {
  const v1 = await startSdkV1(createAskingV1Server)
  const v2 = await startSdkV2('reject', createAskingV2Server)
  const suite = await serveHttp(createFixtureState(), 0)
  const private_ = { type: 'mcp', allowPrivate: true }
  const connections = {
    v1http: { ...private_, url: v1.url },
    v1stdio: { type: 'mcp', ...stdioFixture('asking-v1-stdio') },
    v2http: { ...private_, url: v2.url },
    v2stdio: { type: 'mcp', ...stdioFixture('asking-v2-stdio') },
    v2old: { type: 'mcp', ...stdioFixture('asking-v2-stdio'), era: 'legacy' },
    suite: { ...private_, url: suite.url, era: 'legacy' },
    ...more,
  }
  const config = { connections, log: { level: 'silent' } }
  const folder = await mkdtemp(join(tmpdir(), 'weir-asking-'))
  const file = join(folder, 'weir.yaml')
  await writeFile(file, JSON.stringify(config))
  const weir = embedWeir({ config })
  const { url } = await weir.listen({ port: 0 })
  await weir.catalog.settled(20_000)
  return {
    weir,
    url: new URL('/mcp', url),
    child: { command: process.execPath, args: [weirEntry, 'start', '--stdio', '--config', file] },
    async close() {
      await weir.close(1_000)
      await Promise.all([v1.close(), v2.close(), rm(folder, { recursive: true })])
      suite.server.close()
      suite.server.closeAllConnections()
    },
  }
}

/** The JSON text that a tool of the fixtures answered with. */
export function said({ content }: CallAnswer): unknown {
  const [block] = content as readonly { readonly text: string }[]
  try {
    return JSON.parse(block!.text)
  } catch {
    return block!.text
  }
}
