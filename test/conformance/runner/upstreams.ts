import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { type Child, startServer } from './child.ts'

export const upstreams = ['http', 'stdio'] as const
export type Upstream = (typeof upstreams)[number]

/** A server under test, and the processes to stop after it. */
export interface Subject {
  readonly url: string
  /** What all processes have written so far. */
  output(): string
  stop(): Promise<void>
}

const fixtureEntry = fileURLToPath(new URL('../fixture-server.ts', import.meta.url))
const weirEntry = fileURLToPath(new URL('../../../bin/weir.js', import.meta.url))
const startMs = 15_000

/** The fixture itself, over HTTP: shows whether a failure is Weir's at all. */
export async function startFixture(workDir: string): Promise<Subject> {
  return combine(await startServer([fixtureEntry, '--port', '0'], workDir, startMs), '')
}

/** Weir, with the fixture as its only connection, reached under the fixture's own tool names. */
export async function startWeir(upstream: Upstream, workDir: string): Promise<Subject> {
  const fixture =
    upstream === 'http' ? await startServer([fixtureEntry, '--port', '0'], workDir, startMs) : undefined
  const connection = fixture
    ? { type: 'mcp', url: fixture.url, allowPrivate: true }
    : { type: 'mcp', command: process.execPath, args: [fixtureEntry, '--stdio'] }
  const config = join(workDir, 'weir.yaml')
  await writeFile(config, stringify({ connections: { fixture: connection } }))
  try {
    const args = [weirEntry, 'start', '--config', config, '--port', '0', '--json']
    const weir = await startServer(args, workDir, startMs)
    await becomeReady(weir.url)
    return combine(weir, '/mcp/fixture', fixture)
  } catch (error) {
    await fixture?.stop()
    throw error
  }
}

/** On a busy machine the fixture may take longer to start than Weir's first list waits for it. */
async function becomeReady(url: string): Promise<void> {
  const deadlineMs = performance.now() + startMs
  while (performance.now() < deadlineMs) {
    const ready = (await (await fetch(new URL('/readyz', url))).json()) as { connections: number; up: number }
    if (ready.up === ready.connections) return
    await delay(100)
  }
  throw new Error(`The fixture was not up behind Weir within ${startMs} ms.`)
}

function combine(server: Child & { url: string }, path: string, behind?: Child): Subject {
  return {
    url: `${server.url.replace(/\/$/, '')}${path}`,
    output: () => `${server.output()}\n--- fixture ---\n${behind?.output() ?? ''}`,
    async stop() {
      await server.stop()
      await behind?.stop()
    },
  }
}
