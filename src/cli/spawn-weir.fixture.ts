import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const program = resolve(import.meta.dirname, '../../bin/weir.js')
const sharedCache = resolve(import.meta.dirname, '../../node_modules/.cache/weir-cli')
const patienceMs = 15_000

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A running command. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves once the stream holds what matches, with the match. */
  says(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray>
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

/** An empty folder to run the real program in, with a temp folder of its own. Gone when disposed. */
export class Place implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'weir-cli-'))
  readonly #running = new Set<Running>()

  constructor(config?: object) {
    if (config !== undefined) this.write('weir.yaml', JSON.stringify(config))
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text)
  }

  /** What the program has left in its temp folder. */
  leftovers(): readonly string[] {
    return readdirSync(this.dir).filter((name) => name.startsWith('weir-sample-'))
  }

  /** Starts `weir …`. */
  start(args: readonly string[], more: Readonly<Record<string, string>> = {}): Running {
    return this.follow([program, ...args], more)
  }

  /** Starts `node …` here, with a compile cache that all tests share. */
  follow(args: readonly string[], more: Readonly<Record<string, string>> = {}): Running {
    const { PATH = '' } = process.env
    const env = { PATH, HOME: this.dir, TMPDIR: this.dir, XDG_CACHE_HOME: sharedCache, ...more }
    const running = follow(spawn(process.execPath, args, { cwd: this.dir, env }))
    this.#running.add(running)
    return running
  }

  /** Runs `weir …` to its end. */
  run(args: readonly string[], { stdin = '', env = {} } = {}): Promise<Ended> {
    const { child, ended } = this.start(args, env)
    child.stdin?.end(stdin)
    return ended
  }

  /** Starts a server with `--json` on a free port; resolves when it listens. */
  async serve(
    ...args: readonly string[]
  ): Promise<Running & { readonly url: string; readonly port: string }> {
    const running = this.start([...args, '--port', '0', '--json'])
    const [, url = ''] = await running.says('stdout', /"event":"listening","url":"([^"]+)"/)
    return { ...running, url, port: new URL(url).port }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop('SIGKILL')))
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

function follow(child: ChildProcess): Running {
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[stream] += chunk
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...text }) as Ended)
  return {
    child,
    ended,
    async says(stream, pattern) {
      const late = AbortSignal.timeout(patienceMs)
      for (;;) {
        const match = pattern.exec(text[stream])
        if (match !== null) return match
        const end = ended.then(() => Promise.reject(new Error(`it ended: ${text.stdout}${text.stderr}`)))
        await Promise.race([once(child[stream]!, 'data', { signal: late }), end])
      }
    },
    stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return ended
    },
  }
}

/** The processes that a process has started and that still run. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

/** Whether a process is there; one that has ended and waits to be reaped is not. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat !== undefined && !/\) [ZX] /.test(stat)
}
