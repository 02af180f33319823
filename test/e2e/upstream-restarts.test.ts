import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'
import { everything } from '../../src/core/caller.ts'
import { Cancellation } from '../../src/core/cancellation.ts'
import { createStdioUpstream, type Killable, startHttpUpstream } from './killable-upstreams.fixture.ts'

const kills = process.env['WEIR_TEST_LONG'] === '1' ? 50 : 10
const workersPerClient = 4
/** So many calls must have been answered since its last start before an upstream is killed. */
const servedMin = 5
const info = { name: 'sdk', version: '1' }

interface Called {
  readonly upstream: string
  readonly startMs: number
  readonly endMs: number
  /** Undefined where the call succeeded. */
  readonly code: string | undefined
}

interface Connected {
  call(tool: string): Promise<{ readonly isError?: unknown; readonly structuredContent?: unknown }>
  /** Another one whenever the client had to connect anew. */
  readonly session: () => unknown
  close(): Promise<void>
}

let weir: Weir
let url: URL
let upstreams: readonly Killable[] = []
const faults: unknown[] = []

beforeAll(async () => {
  const who = async () => {
    const entry = weir.catalog.find('child:who')!
    const cancellation = new Cancellation()
    const caller = { subject: 'test', tenant: 'test', grants: everything }
    const outcome = await weir.executor.execute({
      ...{ id: 'who', entry, input: {}, caller, cancellation, via: 'test' },
    })
    if (outcome.kind !== 'complete') throw new Error(JSON.stringify(outcome))
    return (outcome.result.structuredContent as { pid: number }).pid
  }
  upstreams = [
    createStdioUpstream('child', who),
    await startHttpUpstream('sessions', 'legacy'),
    await startHttpUpstream('stateless', 'modern'),
  ]
  const connections = Object.fromEntries(upstreams.map(({ name, config }) => [name, config]))
  weir = embedWeir({ config: { connections, log: { level: 'silent' } } })
  url = new URL('/mcp', (await weir.listen({ port: 0 })).url)
  await weir.catalog.settled(10_000)
})

afterAll(async () => {
  await weir.close(1_000)
  await Promise.all(upstreams.map((upstream) => upstream.stop()))
})

async function connectV1(): Promise<Connected> {
  const client = new ClientV1(info)
  const http = new HttpV1(url)
  client.onerror = (error) => faults.push(error)
  client.onclose = () => faults.push('the legacy client was cut off')
  // The SDK's own classes do not agree under exactOptionalPropertyTypes.
  await client.connect(http as Parameters<ClientV1['connect']>[0])
  const close = async () => {
    delete client.onclose
    await client.close()
  }
  return {
    call: (name) => client.callTool({ name, arguments: {} }) as ReturnType<Connected['call']>,
    session: () => http.sessionId,
    close,
  }
}

async function connectV2(): Promise<Connected> {
  const client = new ClientV2(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  client.onerror = (error) => faults.push(error)
  client.onclose = () => faults.push('the modern client was cut off')
  await client.connect(new HttpV2(url))
  const close = async () => {
    delete client.onclose
    await client.close()
  }
  return { call: (name) => client.callTool({ name, arguments: {} }), session: () => 'none', close }
}

/** Calls one upstream after the other until told to stop. */
async function work(client: Connected, called: Called[], isOver: () => boolean, first: number) {
  for (let turn = first; !isOver(); turn += 1) {
    const upstream = upstreams[turn % upstreams.length]!.name
    const startMs = performance.now()
    const answer = await client.call(`${upstream}__echo`).catch((error: Error) => ({
      isError: true,
      structuredContent: { error: { code: `thrown: ${error.message}` } },
    }))
    const content = answer.structuredContent as { error: { code: string } } | undefined
    const code = answer.isError === true ? (content?.error.code ?? JSON.stringify(answer)) : undefined
    called.push({ upstream, startMs, endMs: performance.now(), code })
  }
}

async function served(called: readonly Called[], upstream: string, sinceMs: number): Promise<void> {
  const isServed = (call: Called) =>
    call.upstream === upstream && call.code === undefined && call.startMs > sinceMs
  await expect.poll(() => called.filter(isServed).length, { timeout: 15_000 }).toBeGreaterThan(servedMin)
}

describe('upstreams that are killed and started again under load', () => {
  it(`R4, R7: ${kills} times each, lose no call but those that they were running`, async () => {
    const clients = await Promise.all([connectV1(), connectV2()])
    const sessions = clients.map(({ session }) => session())
    const { version } = weir.catalog.view()!.tools
    const called: Called[] = []
    let isOver = false
    const working = clients.flatMap((client) =>
      Array.from({ length: workersPerClient }, (_, i) => work(client, called, () => isOver, i)),
    )
    const deaths = await Promise.all(
      upstreams.map(async (upstream) => {
        const found: { upstream: string; killedMs: number; deadMs: number }[] = []
        for (let kill = 0; kill < kills; kill += 1) {
          await served(called, upstream.name, found.at(-1)?.deadMs ?? 0)
          found.push({ upstream: upstream.name, ...(await upstream.kill()) })
        }
        await served(called, upstream.name, found.at(-1)!.deadMs)
        return found
      }),
    )
    isOver = true
    await Promise.all(working)

    const wasRunning = ({ upstream, startMs, endMs }: Called) =>
      deaths
        .flat()
        .some((death) => death.upstream === upstream && startMs <= death.deadMs && endMs >= death.killedMs)
    const failed = called.filter(({ code }) => code !== undefined)
    expect(failed.filter((call) => !wasRunning(call))).toEqual([])
    const codes = new Set(failed.map(({ code }) => code))
    expect(
      [...codes].filter((code) => code !== 'UPSTREAM_EXITED' && code !== 'UPSTREAM_UNREACHABLE'),
    ).toEqual([])
    // Every other call found the upstream gone, waited, and was answered.
    expect(failed.length).toBeLessThanOrEqual(deaths.flat().length * workersPerClient * clients.length)
    expect(called.length - failed.length).toBeGreaterThan(deaths.flat().length * servedMin)
    expect(clients.map(({ session }) => session())).toEqual(sessions)
    expect(faults).toEqual([])
    expect(weir.catalog.view()!.tools.version).toBe(version)
    await Promise.all(clients.map((client) => client.close()))
  }, 240_000)
})
