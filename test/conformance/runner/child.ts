import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** A started program and everything it started: all of one process group. */
export interface Child {
  /** What it has written to both outputs, the last `outputBytesMax` bytes. */
  output(): string
  /** Resolves with the exit code, or with -1 after a signal. */
  readonly exited: Promise<number>
  /** Ends the whole group, politely first; resolves when it is gone, and may be called twice. */
  stop(): Promise<void>
}

const outputBytesMax = 1024 * 1024
const politeMs = 3_000
const running = new Set<ChildProcess>()

// The last word, whatever ended this process: no child survives it.
process.once('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL')
})

/** Starts `node` with these arguments as the leader of a process group of its own. */
export function startChild(args: readonly string[], cwd: string): Child & { readonly process: ChildProcess } {
  const child = spawn(process.execPath, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-outputBytesMax)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const exited = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      running.delete(child)
      keep(Buffer.from(String(error)))
      resolve(-1)
    })
    child.once('close', (code) => {
      running.delete(child)
      resolve(code ?? -1)
    })
  })
  return { process: child, output: () => output, exited, stop: () => stopChild(child, exited) }
}

async function stopChild(child: ChildProcess, exited: Promise<number>): Promise<void> {
  if (!running.has(child)) return
  signalGroup(child, 'SIGTERM')
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), politeMs)
  await exited
  clearTimeout(timer)
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch {
    // The group has ended already.
  }
}

/**
 * Starts a server that prints `{"event":"listening","url":…}` as a line of its own on stdout, and
 * resolves when it has. Rejects with its output when it exits first or takes too long.
 */
export async function startServer(
  args: readonly string[],
  cwd: string,
  timeoutMs: number,
): Promise<Child & { url: string }> {
  const child = startChild(args, cwd)
  const url = await Promise.race([
    readUrl(child.process),
    child.exited.then(() => 'exited' as const),
    delay(timeoutMs, 'late' as const, { ref: false }),
  ])
  if (url !== 'exited' && url !== 'late') return { ...child, url }
  await child.stop()
  const fate =
    url === 'late' ? `said nothing of listening within ${timeoutMs} ms` : `exited with ${await child.exited}`
  throw new Error(`node ${args.join(' ')} ${fate}\n${child.output()}`)
}

function readUrl({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (stdout === null) return
    createInterface({ input: stdout }).on('line', (line) => {
      const url = readListeningUrl(line)
      if (url !== undefined) resolve(url)
    })
  })
}

function readListeningUrl(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const message: { event?: unknown; url?: unknown } = JSON.parse(line)
    return message.event === 'listening' && typeof message.url === 'string' ? message.url : undefined
  } catch {
    return undefined
  }
}
