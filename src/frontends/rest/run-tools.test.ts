import { once } from 'node:events'
import { createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../core/catalog.ts'
import { jsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import { createExecutor } from '../../execution/executor.ts'
import { runTools } from './run-tools.ts'

describe('a client that left while its tools were being found', () => {
  it('has none of them run', async () => {
    const { promise: gone, resolve: left } = Promise.withResolvers<ServerResponse>()
    const server = createServer((_request, response) => {
      response.once('close', () => left(response))
      client.destroy()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
    client.on('error', () => {})
    const response = await gone
    server.close()

    let runs = 0
    const target: Tool = {
      kind: 'tool',
      name: 'send',
      description: 'Sends.',
      effect: 'write',
      input: jsonSchema({ type: 'object' }),
      run: async () => {
        runs += 1
        return {}
      },
    }
    const entry: Entry<Tool> = { id: 'box:send', connection: 'box', target }
    const executor = createExecutor({
      stages: [],
      resolvePolicy: () => ({ timeoutMs: 1_000 }),
    })
    const tool = { slug: 'send', input: {}, entry }
    const { body: answer } = await runTools(executor, {
      requestId: 'r',
      caller: { subject: 'local:ada', tenant: 'default' },
      found: [tool, tool],
      note: undefined,
      response,
    })
    expect(runs).toBe(0)
    expect(answer).toMatchObject({
      successful: false,
      data: { results: [{ error_detail: { code: 'CANCELLED' } }, { error_detail: { code: 'NOT_RUN' } }] },
    })
  })
})
