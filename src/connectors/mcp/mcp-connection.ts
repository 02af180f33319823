import { Cancellation } from '../../core/cancellation.ts'
import type { Disposable } from '../../core/catalog.ts'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { InputRequired, Result } from '../../core/outcome.ts'
import type { RunContext, Tool } from '../../core/tool.ts'
import type { Implementation } from '../../wire/model.ts'
import { abandonOn } from './abandon-on.ts'
import { type CallTarget, callTool } from './call-tool.ts'
import { Client } from './client.ts'
import type { Era } from './greet.ts'
import { listTools } from './list-tools.ts'
import { toTool } from './to-tool.ts'
import { ToolList } from './tool-list.ts'
import type { Transport, TransportListener } from './transport.ts'
import { modernErrorCodes, upstreamCode } from './upstream-error.ts'
import { watchChanges } from './watch-changes.ts'

/** How the server is reached, and how long its calls may take. */
export interface McpConnectionOptions {
  readonly kind: 'stdio' | 'http'
  readonly connect: (listener: TransportListener) => Transport
  readonly self: Implementation
  readonly log: Logger
  readonly timeoutMs: number
  readonly hesitationMs: number
  /** Lets go of what the transport stood on. */
  readonly release?: () => Promise<void>
}

/** One upstream server whose tools are ours to serve. */
export class McpConnection implements Connection {
  readonly #options: McpConnectionOptions
  readonly #client: Client
  readonly #list: ToolList
  readonly #closing = new Cancellation()
  readonly #closeListeners = new Set<(cause: Error) => void>()
  #listening: AbortController | undefined
  #death: WeirError | undefined

  constructor(options: McpConnectionOptions) {
    this.#options = options
    const { log, timeoutMs } = options
    this.#list = new ToolList({
      log,
      fetch: () => listTools(this.#client, log, this.#closing.signal),
      convert: (definition) =>
        toTool(definition, {
          timeoutMs,
          readsParamHeaders: options.kind === 'http' && this.#client.era === 'modern',
          run: (target, input, context) => this.#call(target, input, context),
        }),
    })
    this.#client = new Client({
      ...options,
      onToolsChanged: () => this.#list.markStale(),
      onRenewed: () => {
        this.#list.markStale()
        this.#listening?.abort()
      },
      onDeath: (cause) => this.#die(cause),
    })
  }

  get era(): Era {
    return this.#client.era
  }

  /** Greets the server and reads its tools. After a rejection the connection must still be closed. */
  async open(era: Era | 'auto', signal: AbortSignal): Promise<void> {
    await this.#client.open(era, signal)
    await abandonOn(signal, this.#list.refresh())
    void watchChanges({
      listen: (watching) => this.#listen(watching),
      onGap: () => this.#list.markStale(),
      log: this.#options.log,
      signal: this.#closing.signal,
    })
  }

  targets(): readonly Tool[] {
    return this.#list.tools
  }

  onChange(listener: () => void): Disposable {
    return this.#list.onChange(listener)
  }

  onClose(listener: (cause: Error) => void): Disposable {
    // The server may have died between its opening and this line.
    if (this.#death !== undefined) queueMicrotask(() => listener(this.#death as Error))
    else this.#closeListeners.add(listener)
    return { dispose: () => this.#closeListeners.delete(listener) }
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#client.check(signal)
  }

  async close(): Promise<void> {
    this.#stop('The connection to the MCP server was closed.')
    await this.#client.close()
    await this.#options.release?.()
  }

  #stop(why: string): void {
    this.#closing.cancel(new WeirError('CONNECTION_UNAVAILABLE', why))
    this.#closeListeners.clear()
    this.#list.close()
  }

  #die(cause: WeirError): void {
    if (this.#closing.reason !== undefined) return
    this.#death = cause
    const listeners = [...this.#closeListeners]
    this.#stop(cause.message)
    for (const listener of listeners) listener(cause)
  }

  #listen(signal: AbortSignal): Promise<'ended' | 'unsupported'> {
    this.#listening = new AbortController()
    return this.#client.listen(AbortSignal.any([signal, this.#listening.signal]))
  }

  async #call(target: CallTarget, input: unknown, context: RunContext): Promise<Result | InputRequired> {
    try {
      return await callTool(this.#client, target, input, context)
    } catch (error) {
      if (upstreamCode(error) !== modernErrorCodes.headerMismatch) throw error
      // The server refused the headers unread: perhaps the tool has changed since it was listed.
      await this.#list.refresh()
      const fresh = this.#list.find(target.name)?.target
      if (fresh === undefined || JSON.stringify(fresh) === JSON.stringify(target)) throw error
      return callTool(this.#client, fresh, input, context)
    }
  }
}
