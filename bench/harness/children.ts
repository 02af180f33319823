import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const startTimeoutMs = 30_000
const stopTimeoutMs = 5_000
const stderrCharsMax = 4_000

/** Everything this run started and has not seen end; none of it may outlive the run. */
const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => process.exit(code))
}

/** A server process that said where it listens. */
export interface Server extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Milliseconds on `performance.now()` at which it was started. */
  readonly startedMs: number
  /** SIGTERM, and SIGKILL to what ignores it. Safe to call twice. */
  stop(): Promise<void>
}

/** Remembers `child` so that it ends with this process at the latest. */
export function track(child: ChildProcess): ChildProcess {
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** SIGTERM, then SIGKILL to what ignores it; resolves when the child is gone. Safe to call twice. */
export async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await ended
  clearTimeout(killer)
}

/** Keeps the end of what a child says on stderr, for the error message if it fails. */
function keepStderr(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-stderrCharsMax)
  })
  return () => text.trim()
}

/** Where a line of a child's stdout says that it listens; undefined for any other line. */
function listeningUrl(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  const event = JSON.parse(line) as { event?: unknown; url?: unknown }
  return event.event === 'listening' && typeof event.url === 'string' ? event.url : undefined
}

function awaitListening(child: ChildProcess, what: string, stderr: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (how: string) => reject(new Error(`${what} ${how}. It said: ${stderr() || 'nothing'}`))
    const timer = setTimeout(() => fail(`said no URL within ${startTimeoutMs} ms`), startTimeoutMs)
    const settle = (act: () => void) => {
      clearTimeout(timer)
      act()
    }
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', (code, signal) => settle(() => fail(`ended with ${signal ?? code}`)))
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const url = listeningUrl(line)
      if (url !== undefined) settle(() => resolve(url))
    })
  })
}

/** Starts `node …args` and waits for its line `{"event":"listening","url":…}` on stdout. */
export async function startServer(args: readonly string[], options: SpawnOptions = {}): Promise<Server> {
  const startedMs = performance.now()
  // An open stdin pipe is how our own servers notice that this process is gone, however it went.
  const child = track(spawn(process.execPath, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] }))
  try {
    const url = await awaitListening(child, `node ${args.join(' ')}`, keepStderr(child))
    const stopThis = () => stop(child)
    return { url, pid: child.pid!, startedMs, stop: stopThis, [Symbol.asyncDispose]: stopThis }
  } catch (error) {
    await stop(child)
    throw error
  }
}

/** Runs a command to its end; rejects with the end of its stderr if it fails. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<void> {
  const child = track(spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] }))
  const stderr = keepStderr(child)
  const [code, signal] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}: ${stderr()}`)
}
