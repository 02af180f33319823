import { readdirSync, readFileSync } from 'node:fs'
import { Place, type Running } from '../../src/cli/spawn-weir.fixture.ts'

/** How a call ended for its client. `code`: the error's, or `TRANSPORT` where no answer came. */
export interface Answer {
  readonly data?: unknown
  readonly code?: string
  /** Whether Weir says that nothing has been sent to the system behind it. */
  readonly isUnsent: boolean
  readonly ms: number
}

/** A real Weir in a process of its own, which chaos may kill. */
export class Gateway implements AsyncDisposable {
  readonly place: Place
  #running: Running | undefined
  readonly #configure: (version: number) => object
  #port = '0'
  #version = 0
  url = ''
  starts = 0

  /** `configure` gives another configuration for each version. */
  constructor(configure: (version: number) => object) {
    this.#configure = configure
    this.place = new Place(configure(0))
  }

  async start(): Promise<void> {
    this.#running = this.place.start(['start', '--port', this.#port, '--json'])
    const [, url = ''] = await this.#running.says('stdout', /"event":"listening","url":"([^"]+)"/)
    this.url = url
    this.#port = new URL(url).port
    this.starts += 1
  }

  get pid(): number {
    return this.#running?.child.pid ?? 0
  }

  async kill(): Promise<void> {
    await this.#running?.stop('SIGKILL')
  }

  /** Lets it take over a configuration in which something has changed. */
  reload(): void {
    this.#version += 1
    this.place.write('weir.yaml', JSON.stringify(this.#configure(this.#version)))
    this.#running?.child.kill('SIGHUP')
  }

  /** Ends in order; gives the exit code. */
  async stop(): Promise<number | null> {
    return (await this.#running!.stop('SIGTERM')).code
  }

  /** Calls one tool by the REST dialect. */
  async call(tool: string, input: object, limitMs: number): Promise<Answer> {
    const startMs = performance.now()
    const took = () => performance.now() - startMs
    try {
      const answer = await fetch(`${this.url}/mcp/execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tools: [{ tool_slug: tool, arguments: input }] }),
        signal: AbortSignal.timeout(limitMs),
      })
      return readAnswer(await answer.json(), took())
    } catch {
      return { code: 'TRANSPORT', isUnsent: false, ms: took() }
    }
  }

  /** Resident memory and open descriptors of the process. */
  measure(): { readonly rssMb: number; readonly descriptors: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const kb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
    return { rssMb: kb / 1024, descriptors: readdirSync(`/proc/${this.pid}/fd`).length }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place[Symbol.asyncDispose]()
  }
}

interface Body {
  readonly error_detail?: ErrorDetail
  readonly data?: {
    readonly results: readonly {
      readonly successful: boolean
      readonly response?: unknown
      readonly error_detail?: ErrorDetail
    }[]
  }
}
interface ErrorDetail {
  readonly code: string
  readonly data?: { readonly sent?: boolean; readonly outcome?: string }
}

function readAnswer(body: unknown, ms: number): Answer {
  const { data, error_detail: whole } = body as Body
  const item = data?.results[0]
  if (item?.successful === true) {
    // A status that says no is an answer for a client of an API to read (B-06).
    const status = (item.response as { status_code?: number } | undefined)?.status_code ?? 200
    return { data: item.response, isUnsent: false, ms, ...(status < 400 ? {} : { code: `HTTP_${status}` }) }
  }
  const error = item?.error_detail ?? whole
  return { code: error?.code ?? 'TOOL_ERROR', isUnsent: error?.data?.sent === false, ms }
}
