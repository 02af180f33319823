import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type AnyConnector, type Connection, defineConnector } from '../core/connector.ts'
import { WeirError } from '../core/error.ts'
import type { Tool } from '../core/tool.ts'
import { type ConnectorCase, describeConnector, listConnectorPromises } from './describe-connector.ts'

const config = z.strictObject({
  token: z.string().min(8).describe('The token.'),
  down: z.boolean().default(false).describe('Whether the system is down.'),
})

const wait: Tool = {
  kind: 'tool',
  name: 'wait_long',
  description: 'Waits until it is stopped.',
  effect: 'read',
  input: z.strictObject({ why: z.string().optional().describe('The reason.') }),
  run: (_input, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
}

/** A connector that keeps every promise, with some of it replaced. */
function createConnector(connection: Partial<Connection> = {}, connector: Partial<AnyConnector> = {}) {
  return defineConnector<z.infer<typeof config>>({
    type: 'good-one',
    summary: 'Keeps its promises.',
    config,
    async open({ down }, { signal }) {
      signal.throwIfAborted()
      const targets = [wait]
      return {
        targets: () => targets,
        async check(aborted) {
          aborted.throwIfAborted()
          if (down) throw new WeirError('CONNECTION_UNAVAILABLE', 'It is down.')
        },
        async close() {},
        ...connection,
      }
    },
    ...connector,
  })
}

const given: ConnectorCase = {
  config: () => ({ token: 'canary-1' }),
  badConfigs: [
    { config: { token: 'no' }, field: 'token' },
    { config: { token: 'canary-1', tokken: 1 }, field: 'tokken' },
  ],
  deadConfig: () => ({ token: 'canary-1', down: true }),
  secret: 'canary-1',
  slowCall: { tool: 'wait_long', input: {} },
}

describeConnector(createConnector(), given)

async function breaches(connector: AnyConnector, changed: Partial<ConnectorCase> = {}): Promise<string[]> {
  const found: string[] = []
  for (const { keep } of listConnectorPromises(connector, { ...given, ...changed })) {
    await keep().catch((error: Error) => found.push(error.message))
  }
  return found
}

const withTool = (changed: Partial<Tool>) => {
  const targets = [wait, { ...wait, name: 'other_tool', ...changed }]
  return createConnector({ targets: () => targets })
}

describe('describeConnector notices', () => {
  it.each<[string, AnyConnector, Partial<ConnectorCase>, RegExp]>([
    ['a type that is not kebab-case', createConnector({}, { type: 'Bad_One' }), {}, /not kebab-case/],
    ['an empty summary', createConnector({}, { summary: ' ' }), {}, /summary is empty/],
    [
      'a config field without description',
      createConnector(
        {},
        {
          config: config.extend({
            deep: z
              .array(z.object({ x: z.string() }))
              .default([])
              .describe('d'),
          }),
        },
      ),
      {},
      /config\.deep\[\]\.x has no description/,
    ],
    ['targets that differ each time', createConnector({ targets: () => [wait] }), {}, /new array/],
    ['a check that fails', createConnector({ check: () => Promise.reject(new Error('no')) }), {}, /^no$/],
    ['a check deaf to its signal', createConnector({ check: async () => {} }), {}, /check\(\) resolved/],
    [
      'an open deaf to its signal',
      createConnector({}, { open: async () => createOpened() }),
      {},
      /open\(\) resolved/,
    ],
    ['a tool name in camel case', withTool({ name: 'otherTool' }), {}, /not snake_case/],
    ['a tool name twice', withTool({ name: 'wait_long' }), {}, /two targets are the tool/],
    ['a tool without description', withTool({ description: '' }), {}, /no description/],
    [
      'an undescribed input field',
      withTool({ input: z.strictObject({ a: z.string() }) }),
      {},
      /input\.a has no/,
    ],
    ['an input open to anything', withTool({ input: z.looseObject({}) }), {}, /does not know/],
    [
      'a bad config accepted',
      createConnector(),
      { badConfigs: [{ config: { token: 'long enough' }, field: 'x' }] },
      /accepted/,
    ],
    [
      'a refusal of another field',
      createConnector(),
      { badConfigs: [{ config: { token: 'no' }, field: 'x' }] },
      /names token, not x/,
    ],
    ['a dead system that passes', createConnector(), { deadConfig: given.config }, /no WeirError/],
    [
      'a secret in an error',
      createConnector({
        check: () => Promise.reject(new WeirError('CONNECTION_UNAVAILABLE', 'no: canary-1')),
      }),
      {},
      /shows the secret/,
    ],
    [
      'a call deaf to its abort',
      withTool({ run: async () => ({}) }),
      { slowCall: { tool: 'other_tool', input: {} } },
      /did not reject/,
    ],
  ])('%s', async (_what, connector, changed, breach) => {
    expect(await breaches(connector, changed)).toContainEqual(expect.stringMatching(breach))
  })
})

it('notices a socket that is left open', async () => {
  const server = createServer()
  const leaking = createConnector({
    check: (aborted) => {
      if (aborted.aborted) return Promise.reject(aborted.reason)
      return new Promise((resolve) => (server.listening ? resolve() : server.listen(0, '127.0.0.1', resolve)))
    },
  })
  try {
    expect(await breaches(leaking)).toContainEqual(expect.stringMatching(/left after close/))
  } finally {
    server.close()
  }
})

function createOpened(): Connection {
  const targets = [wait]
  return { targets: () => targets, check: async () => {}, close: async () => {} }
}
