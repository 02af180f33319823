import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'

const fixtures = new URL('../../src/connectors/mcp/fixtures/', import.meta.url).pathname

/** An upstream server that a test kills; times are of `performance.now()`. */
export interface Killable {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  /** Kills it for good, and resolves when it is seen dead; something starts it again. */
  kill(): Promise<{ readonly killedMs: number; readonly deadMs: number }>
  stop(): Promise<void>
}

/** A child of Weir, which starts it again. `who` asks it for its process id. */
export function createStdioUpstream(name: string, who: () => Promise<number>): Killable {
  const args = [`${fixtures}raw-stdio.fixture.ts`]
  return {
    name,
    config: { type: 'mcp', command: process.execPath, args },
    async kill() {
      const pid = await who()
      const killedMs = performance.now()
      process.kill(pid, 'SIGKILL')
      while (isAlive(pid)) await wait(1)
      return { killedMs, deadMs: performance.now() }
    },
    stop: async () => {},
  }
}

/** A server behind a URL, which the test itself starts again on the same port. */
export async function startHttpUpstream(name: string, era: 'modern' | 'legacy'): Promise<Killable> {
  let [child, port] = await startChild(era, 0)
  const end = async () => {
    const exited = once(child, 'exit')
    const killedMs = performance.now()
    child.kill('SIGKILL')
    await exited
    return { killedMs, deadMs: performance.now() }
  }
  return {
    name,
    config: { type: 'mcp', url: `http://127.0.0.1:${port}/mcp`, allowPrivate: true },
    async kill() {
      const death = await end()
      ;[child, port] = await startChild(era, port)
      return death
    },
    stop: async () => void (await end()),
  }
}

async function startChild(era: string, port: number): Promise<[ChildProcess, number]> {
  const args = [`${fixtures}http-child.fixture.ts`, era, String(port)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return [child, Number(line.toString())]
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
