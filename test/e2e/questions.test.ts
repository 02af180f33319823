import { StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { asked, type Kind } from '../../src/connectors/mcp/fixtures/asked.fixture.ts'
import {
  type AskedClient,
  type AskingGateway,
  connectV1,
  connectV2,
  said,
  startAskingGateway,
} from './asking.fixture.ts'

// Every era of client against every era and transport of server, with the official SDKs at both ends.

let gateway: AskingGateway
beforeAll(async () => {
  gateway = await startAskingGateway()
}, 60_000)
afterAll(() => gateway?.close())

const sampled = {
  role: 'assistant',
  content: [{ type: 'tool_use', id: 't1', name: 'look_up', input: { q: 'France' } }],
  model: 'tiny',
  stopReason: 'toolUse',
}
const content = { name: 'Ada', age: 36, colour: 'green' }
const roots = { roots: [{ uri: 'file:///home/ada', name: 'Ada' }] }
/** What the user does, and what the server must come to hear of it. */
const replies: readonly (readonly [Kind, string, object])[] = [
  ['form', 'accepts', { action: 'accept', content }],
  ['form', 'declines', { action: 'decline' }],
  ['form', 'cancels', { action: 'cancel' }],
  ['url', 'accepts', { action: 'accept' }],
  ['url', 'declines', { action: 'decline' }],
  ['url', 'cancels', { action: 'cancel' }],
  ['sampling', 'answers', sampled],
  ['roots', 'answers', roots],
]

const clients: readonly (readonly [string, () => Promise<AskedClient>])[] = [
  ['SDK v1 over HTTP', () => connectV1(new HttpV1(gateway.url))],
  ['SDK v1 over stdio', () => connectV1(new StdioV1(gateway.child))],
  ['SDK v2 over HTTP', () => connectV2(new HttpV2(gateway.url), 'legacy')],
  ['SDK v2 of the new era over HTTP', () => connectV2(new HttpV2(gateway.url), 'modern')],
  ['SDK v2 of the new era over stdio', () => connectV2(new StdioV2(gateway.child), 'modern')],
]
const servers = ['v1http', 'v1stdio', 'v2http', 'v2stdio', 'v2old'] as const

describe.each(clients)('D2-094, D2-095: %s', (_name, connect) => {
  let client: AskedClient
  beforeAll(async () => {
    client = await connect()
    // The servers of a child process start with it.
    for (let tries = 0; tries < 100; tries += 1) {
      const ready = await client.call('v2old__ask', {}).catch(() => undefined)
      if (ready !== undefined && !JSON.stringify(ready).includes('CONNECTION_UNAVAILABLE')) return
    }
  }, 60_000)
  afterAll(() => client?.close())
  beforeEach(() => client.heard.splice(0))

  describe.each(servers)('and server %s', (server) => {
    it.each(replies)('%s: the user %s', async (kind, _what, reply) => {
      client.reply = () => reply
      expect(said(await client.call(`${server}__ask`, { kind }))).toEqual(reply)
      expect(client.heard).toHaveLength(1)
      const { method, params = {} } = client.heard[0]!
      expect(method).toBe(asked[kind].method)
      // The new era has no such id; its SDK takes it off.
      const { elicitationId: _, ...sent }: Readonly<Record<string, unknown>> = asked[kind].params ?? {}
      expect(params).toMatchObject(sent)
    })

    it('asks several times in one call', async () => {
      client.reply = () => ({ action: 'accept', content })
      const answer = said(await client.call(`${server}__ask_often`, { times: 3 }))
      expect(client.heard).toHaveLength(3)
      expect(Array.isArray(answer) ? answer.length : answer).toBe(3)
    })

    it('hears that the model’s answer was refused', async () => {
      client.reply = () => {
        throw new Error('The user said no.')
      }
      const answer = await client.call(`${server}__ask`, { kind: 'sampling' }).catch((error: Error) => error)
      expect(answer instanceof Error || answer.isError).toBe(true)
    })
  })

  it.each(['v1http', 'v1stdio'])('asks on a stream of no call: %s', async (server) => {
    client.reply = () => ({ action: 'accept', content })
    const answer = said(await client.call(`${server}__ask_apart`, { kind: 'form' }))
    expect(answer).toEqual({ action: 'accept', content })
  })

  it.each(['v1http', 'v1stdio'])('asks four things at once: %s', async (server) => {
    const byMethod: Readonly<Record<string, object>> = {
      'sampling/createMessage': sampled,
      'roots/list': roots,
    }
    client.reply = ({ method }) => byMethod[method] ?? { action: 'accept', content }
    const answer = said(await client.call(`${server}__ask_at_once`))
    expect(answer).toEqual([expect.anything(), expect.anything(), sampled, roots])
    expect(client.heard).toHaveLength(4)
  })

  it.each(['v1http', 'v1stdio'])('asks for a prompt and for a resource: %s', async (server) => {
    client.reply = () => ({ action: 'accept', content })
    expect(JSON.stringify(await client.prompt(`${server}__greeting`))).toContain('Ada')
    expect(JSON.stringify(await client.read(`weir:${server}:asking://who`))).toContain('Ada')
    expect(client.heard).toHaveLength(2)
  })

  it('asks through a session of SDK v2, of the old era', async () => {
    client.reply = () => ({ action: 'accept', content: { username: 'ada', email: 'a@b.c' } })
    const answer = await client.call('suite__test_elicitation', { message: 'Who?' })
    expect(said(answer)).toContain('action=accept')
  })
})
