import { type ChildProcess, spawn } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { WorkerMessage, WorkerOptions } from './worker-protocol.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const entry = fileURLToPath(new URL(`./worker.${extension}`, import.meta.url))
const stderrCharsMax = 4096

/** What a pool hears from its processes. */
export interface WorkerListener {
  received(worker: WorkerProcess, message: WorkerMessage): void
  exited(worker: WorkerProcess): void
}

/**
 * One database process. A thread would not do: `terminate()` waits for SQLite to come back, and a runaway statement
 * does not; a process is ended at once, whatever it does (S11). Lines written in one turn leave in one piece.
 */
export class WorkerProcess {
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  #unsent = ''
  #stderr = ''
  #partial: string[] = []

  constructor(options: WorkerOptions, listener: WorkerListener) {
    this.#child = start(options)
    const { stdin, stdout, stderr } = this.#child
    stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#split(chunk, (line) => listener.received(this, JSON.parse(line) as WorkerMessage))
    })
    stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(-stderrCharsMax)
    })
    // A process that has just died refuses what is written to it; its exit tells the story.
    stdin?.on('error', () => {})
    this.exited = new Promise((resolve) => {
      const ended = () => {
        resolve()
        listener.exited(this)
      }
      this.#child.once('close', ended)
      this.#child.once('error', (error) => {
        this.#stderr = String(error)
        if (this.#child.pid === undefined) ended()
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The end of what the process said on standard error. */
  get lastWords(): string {
    return this.#stderr
  }

  send(line: string): void {
    if (this.#unsent === '') queueMicrotask(this.#flush)
    this.#unsent += line
  }

  /** Lets it finish what it has and end. */
  end(): void {
    this.#child.stdin?.end()
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  readonly #flush = (): void => {
    this.#child.stdin?.write(this.#unsent)
    this.#unsent = ''
  }

  /** Looks for line ends in the new chunk only, so that a long answer is not searched again and again. */
  #split(chunk: string, take: (line: string) => void): void {
    let at = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', at)) {
      const last = chunk.slice(at, end)
      at = end + 1
      if (this.#partial.length === 0) take(last)
      else {
        this.#partial.push(last)
        const whole = this.#partial.join('')
        this.#partial = []
        take(whole)
      }
    }
    if (at < chunk.length) this.#partial.push(at === 0 ? chunk : chunk.slice(at))
  }
}

/** Its environment holds nothing of Weir's: no secret, and no NODE_OPTIONS. */
function start(options: WorkerOptions): ChildProcess {
  const compileCache = getCompileCacheDir()
  return spawn(
    process.execPath,
    ['--no-warnings', '--max-old-space-size=256', entry, JSON.stringify(options)],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache },
      windowsHide: true,
    },
  )
}
