import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chmodSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findFreePort } from './find-free-port.ts'
import type { ServiceSpec } from './services.ts'

const run = promisify(execFile)
const startTimeoutMs = 30_000

/** A server that this run has started for itself. */
export interface PrivateService {
  readonly url: string
  stop(): Promise<void>
}

/** Whether something accepts connections there. */
export async function isListening(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect({ port, host })
  try {
    await Promise.race([once(socket, 'connect'), wait(1000).then(() => Promise.reject(new Error('late')))])
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Where a service's program lies; undefined where it is not installed. */
export function findProgram({ program, folders = [] }: ServiceSpec): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  return [...folders, ...path].map((folder) => join(folder, program)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Starts a server in a folder and on ports of its own. Rejects with its last words where it does not come up. */
export async function startPrivate(spec: ServiceSpec, program: string): Promise<PrivateService> {
  const folder = mkdtempSync(join(tmpdir(), `weir-${spec.program}-`))
  // The server may run as a user of its own, which has to get in.
  chmodSync(folder, 0o777)
  const port = await findFreePort(2)
  const env = { ...process.env, ...spec.environment?.(folder, port) }
  const as = spec.user !== undefined && process.getuid?.() === 0 ? ['runuser', '-u', spec.user, '--'] : []
  if (spec.prepare !== undefined) {
    const [command = '', ...args] = [...as, ...spec.prepare(program, folder)]
    await run(command, args, { env, cwd: folder })
  }
  const [command = '', ...args] = [...as, ...spec.start(program, folder, port)]
  // A group of its own, so that a wrapper script's children end with it.
  const child = spawn(command, args, { env, cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const words = collectWords(child)
  const stop = async () => {
    await end(child)
    const [command = '', ...args] = spec.finish?.(port) ?? []
    if (command !== '') await run(command, args).catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
  for (const since = Date.now(); !(await isListening(port)); await wait(50)) {
    if (child.exitCode === null && Date.now() - since < startTimeoutMs) continue
    await stop()
    throw new Error(`${spec.title} could not be started: ${words().slice(-500)}`)
  }
  return { url: spec.url(port), stop }
}

function collectWords(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4096)
    })
  }
  return () => text
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exited = once(child, 'exit')
  const kill = (signal: NodeJS.Signals) => process.kill(-child.pid!, signal)
  kill('SIGTERM')
  const late = setTimeout(() => kill('SIGKILL'), 5000)
  await exited
  clearTimeout(late)
}
