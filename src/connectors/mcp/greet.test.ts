import { describe, expect, it } from 'vitest'
import type { JsonRpcResponse } from '../../wire/json-rpc.ts'
import { newestModern } from '../../wire/revisions/index.ts'
import { greet } from './greet.ts'

const refusal = (supported: readonly string[]): JsonRpcResponse => ({
  kind: 'response',
  id: 1,
  error: { code: -32022, message: 'Unsupported protocol version', data: { supported } },
})
const discovered: JsonRpcResponse = {
  kind: 'response',
  id: 2,
  result: { supportedVersions: [newestModern.version], capabilities: { tools: {} } },
}
const initialized: JsonRpcResponse = {
  kind: 'response',
  id: 3,
  result: { protocolVersion: '2025-11-25', capabilities: {} },
}

async function greetBy(...answers: readonly JsonRpcResponse[]) {
  const asked: string[] = []
  const queue = [...answers]
  const opening = {
    hesitationMs: 60_000,
    discover: async () => {
      asked.push('discover')
      return queue.shift()!
    },
    initialize: async () => {
      asked.push('initialize')
      return initialized
    },
  }
  const greeting = await greet(opening, 'auto', new AbortController().signal)
  return [greeting.revision.era, ...asked]
}

describe('a server that refuses the version', () => {
  it('is asked again where it names that very version, once', async () => {
    const refused = refusal([newestModern.version])
    expect(await greetBy(refused, discovered)).toEqual(['modern', 'discover', 'discover'])
    expect(await greetBy(refused, refused, discovered)).toEqual([
      'legacy',
      'discover',
      'discover',
      'initialize',
    ])
  })

  it('is spoken to in an older one where it names only those', async () => {
    expect(await greetBy(refusal(['2025-06-18']))).toEqual(['legacy', 'discover', 'initialize'])
  })

  it('is of no use where it names none of ours', async () => {
    await expect(greetBy(refusal(['2031-01-01']))).rejects.toMatchObject({ code: 'UPSTREAM_PROTOCOL' })
  })
})
