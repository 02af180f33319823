import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import { endGroup, guardGroup } from './process-group.ts'

/** What to run. `cwd` exists and is absolute; `env` is the child's whole environment. */
export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

/** A running child, and the whole group of processes it leads. */
export interface ServerProcess {
  /** Undefined where it could not be started; `onExit` follows then. */
  readonly pid: number | undefined
  /**
   * Writes one line. Throws OVERLOADED where the child has left too much unread. `onUnsent` is called, at once or later,
   * where the child reads no more and the end of the line has certainly not reached it.
   */
  write(line: string, onUnsent?: () => void): void
  /** Ends the whole process group: end of input, then signals (R5). With `atOnce` it gets no time to say goodbye. */
  stop(atOnce?: boolean): Promise<void>
}

/** What the child does. Neither may throw. */
export interface ProcessListener {
  onOutput(chunk: Buffer): void
  /** Called once, after the last output or shortly after the exit. `stop()` calls it too. */
  onExit(cause: WeirError): void
}

/** Bytes written and not yet read by the child. */
const unreadBytesMax = 16 * 1024 * 1024
const stderrTailBytes = 8 * 1024
const eofGraceMs = 2_000
const termGraceMs = 3_000
/** A grandchild may hold the output open; the last words of the dead are awaited no longer than this (R4: 250 ms in all). */
const lastOutputMs = 100

/**
 * Starts the command in a process group of its own, without a shell (S9). Its error output goes to the log and
 * nowhere else, because it may hold secrets: its last 8 KiB when it exits by itself. Throws where it cannot be started.
 */
export function startProcess(command: Command, log: Logger, listener: ProcessListener): ServerProcess {
  const child = spawnChild(command)
  const { pid } = child
  if (pid !== undefined) guardGroup(pid)
  const stderr = keepTail(child)
  let stopping: Promise<void> | undefined
  let ended = false

  const end = (cause: WeirError, exit?: object) => {
    if (ended) return
    ended = true
    if (stopping === undefined && exit !== undefined)
      log.warn({ ...exit, stderr: stderr() }, 'The MCP server ended by itself.')
    listener.onExit(cause)
    stopping ??= finish(child)
  }
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      if (pid !== undefined) return
      resolve()
      end(notStarted(command.command, error))
    })
    child.once('exit', (code, signal) => {
      resolve()
      const exit = { code, signal }
      const cause = exitError(code, signal)
      child.once('close', () => end(cause, exit))
      setTimeout(end, lastOutputMs, cause, exit)
    })
  })
  child.stdout.on('data', (chunk: Buffer) => listener.onOutput(chunk))
  // Without its output a server answers nothing any more, whether it exits or not.
  child.stdout.once('end', () => setTimeout(end, lastOutputMs, outputClosed(), {}))
  // Writing to a child that just died is no error of its own: its exit says it all.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})

  return {
    pid,
    write: (line, onUnsent) => writeLine(child, line, onUnsent),
    stop(atOnce = false) {
      stopping ??= (async () => {
        child.stdin.end()
        await Promise.race([exited, wait(atOnce ? 0 : eofGraceMs, undefined, { ref: false })])
        await finish(child)
        await exited
      })()
      return stopping
    },
  }
}

function spawnChild({ command, args, env, cwd }: Command): ChildProcessWithoutNullStreams {
  const detached = process.platform !== 'win32'
  try {
    return spawn(command, args, { shell: false, detached, windowsHide: true, stdio: 'pipe', env, cwd })
  } catch (cause) {
    throw notStarted(command, cause)
  }
}

function writeLine(
  child: ChildProcessWithoutNullStreams,
  line: string,
  onUnsent: (() => void) | undefined,
): void {
  const { stdin } = child
  if (stdin.writableLength + line.length > unreadBytesMax) {
    throw new WeirError(
      'OVERLOADED',
      `The MCP server has left ${stdin.writableLength} bytes of its input unread.`,
      { hint: 'Wait, and send less to this server at once.', data: { sent: false } },
    )
  }
  if (!stdin.writable) {
    onUnsent?.()
    return
  }
  // Lines that queue up are written together and fail together, though some of them may have been read.
  const isAlone = stdin.writableLength === 0
  if (onUnsent === undefined || !isAlone) stdin.write(`${line}\n`)
  else stdin.write(`${line}\n`, (error) => error && onUnsent())
}

/** Ends what is left of the group and lets go of its pipes. */
async function finish(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.pid !== undefined) await endGroup(child.pid, termGraceMs)
  child.stdout.destroy()
  child.stderr.destroy()
}

/** Reads the error output, so that the child never blocks on it, and keeps its end. */
function keepTail(child: ChildProcessWithoutNullStreams): () => string {
  let tail = Buffer.alloc(0)
  child.stderr.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk.subarray(-stderrTailBytes)]).subarray(-stderrTailBytes)
  })
  return () => tail.toString('utf8')
}

function notStarted(command: string, cause: unknown): WeirError {
  const why = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error'
  return new WeirError('CONNECTION_UNAVAILABLE', `The command "${command}" could not be started: ${why}.`, {
    hint: 'Install it, or write its full path in `command`; it is run without a shell.',
    cause,
  })
}

function outputClosed(): WeirError {
  return new WeirError('UPSTREAM_EXITED', 'The MCP server closed its output.', {
    hint: 'Weir starts it again; the log holds the end of its error output.',
  })
}

function exitError(code: number | null, signal: NodeJS.Signals | null): WeirError {
  const how = signal === null ? `with code ${code}` : `by ${signal}`
  return new WeirError('UPSTREAM_EXITED', `The MCP server's process ended ${how}.`, {
    hint: 'Weir starts it again; the log holds the end of its error output.',
    data: signal === null ? { exitCode: code } : { signal },
  })
}
