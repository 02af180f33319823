import { Cancellation } from '../../core/cancellation.ts'
import type { Disposable } from '../../core/catalog.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import { showHidden } from '../../core/hidden-text.ts'
import type { Logger } from '../../core/logger.ts'
import type { Tool } from '../../core/tool.ts'
import type { EgressClient } from '../../egress/egress.ts'
import type { RestDialectConfig } from './config.ts'
import type { Definition } from './definition.ts'
import type { DialectClient } from './dialect-client.ts'
import type { Discovery } from './read-discovery.ts'
import { toTool } from './to-tool.ts'
import { ToolShelf } from './tool-shelf.ts'

/** A server that could not be asked is asked again after this, doubled each time; after the last it counts as gone. */
const retry = { firstMs: 5_000, failuresMax: 3 }

/** What a connection is made of. */
export interface RestDialectParts {
  readonly name: string
  readonly config: RestDialectConfig
  readonly egressClient: EgressClient
  readonly client: DialectClient
  readonly fromFiles: readonly Definition[]
  /** The `server_name` that is bound to the URL already, if one is. */
  readonly serverName: string | undefined
  readonly clock: Clock
  readonly log: Logger
}

/** One server of the dialect, asked again and again for its tools (D4-030). */
export class RestDialectConnection implements Connection {
  readonly #parts: RestDialectParts
  readonly #shelf: ToolShelf
  readonly #closing = new Cancellation()
  readonly #changeListeners = new Set<() => void>()
  readonly #closeListeners = new Set<(cause: Error) => void>()
  #serverName: string | undefined
  #healthPath = '/health'
  #reading: Promise<void> | undefined
  #timer: Timer | undefined
  #failures = 0

  constructor(parts: RestDialectParts) {
    this.#parts = parts
    this.#serverName = parts.serverName
    const convert = (definition: Definition) => toTool(definition, parts.client, parts.config.timeout)
    this.#shelf = new ToolShelf(convert, parts.log)
    this.#shelf.replace(parts.fromFiles)
  }

  /** Reads the tools for the first time. After a rejection the connection must still be closed. */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#parts.config.discover) await this.#read(signal)
    else signal.throwIfAborted()
  }

  targets(): readonly Tool[] {
    return this.#shelf.tools
  }

  /** The name stays bound to the URL when the connection is opened again (B-131). */
  notes(): Readonly<Record<string, string>> {
    return this.#serverName === undefined ? {} : { serverName: this.#serverName }
  }

  onChange(listener: () => void): Disposable {
    this.#changeListeners.add(listener)
    return { dispose: () => this.#changeListeners.delete(listener) }
  }

  onClose(listener: (cause: Error) => void): Disposable {
    this.#closeListeners.add(listener)
    return { dispose: () => this.#closeListeners.delete(listener) }
  }

  /** Asks for the tools now, or waits for the asking under way. Rejects where the server could not be asked. */
  refresh(signal: AbortSignal): Promise<void> {
    if (!this.#parts.config.discover) return Promise.resolve()
    this.#reading ??= this.#readAgain(signal).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#parts.client.check(this.#healthPath, signal)
  }

  async close(): Promise<void> {
    this.#stop()
    await this.#parts.egressClient.close()
  }

  #stop(): void {
    this.#closing.cancel(new WeirError('CONNECTION_UNAVAILABLE', 'The connection to the server was closed.'))
    this.#timer?.cancel()
    this.#changeListeners.clear()
    this.#closeListeners.clear()
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { client, config, fromFiles, log, name } = this.#parts
    const discovery = await client.discover(log, AbortSignal.any([signal, this.#closing.signal]))
    if (this.#closing.aborted) throw this.#closing.reason
    this.#bind(discovery)
    this.#healthPath = discovery.healthPath
    const own = new Set(fromFiles.map((definition) => definition.name))
    const isNew = this.#shelf.replace([
      ...fromFiles,
      ...discovery.definitions.filter((definition) => !own.has(definition.name)),
    ])
    const { serverName } = discovery
    const read = { connection: name, server_name: showHidden(serverName), server_url: config.url }
    const fields = { event: 'discovery.read', ...read, tools: this.#shelf.tools.length }
    log[isNew ? 'info' : 'debug'](fields, 'A server said which tools it has.')
    this.#failures = 0
    this.#schedule(config.interval)
    if (isNew) for (const listener of [...this.#changeListeners]) listener()
  }

  /** A name belongs to the URL that claimed it first, for as long as the configuration stays. */
  #bind({ serverName }: Discovery): void {
    this.#serverName ??= serverName
    if (serverName === this.#serverName) return
    const [claimed, bound] = [serverName, this.#serverName].map((name) => showHidden(JSON.stringify(name)))
    const claim = `The server calls itself ${claimed} and was ${bound}.`
    throw new WeirError('UPSTREAM_PROTOCOL', claim, {
      hint: 'If that is meant, say so in `serverName`; else find out who answers at `url`.',
      data: { sent: true },
    })
  }

  /** What goes wrong leaves the tools as they were. */
  async #readAgain(signal: AbortSignal): Promise<void> {
    this.#timer?.cancel()
    try {
      await this.#read(signal)
    } catch (thrown) {
      if (!this.#closing.aborted) this.#afterFailure(toWeirError(thrown))
      throw thrown
    }
  }

  #afterFailure(error: WeirError): void {
    const { config, log, name } = this.#parts
    const fields = { event: 'discovery.failed', connection: name, code: error.code, cause: error.message }
    log.warn(fields, 'A server’s tools could not be read again; those known stay.')
    // An answer that cannot be used is not yet a server that is gone.
    this.#failures = error.spec.retryable ? this.#failures + 1 : 0
    if (this.#failures >= retry.failuresMax) this.#die(error)
    else if (this.#failures === 0) this.#schedule(config.interval)
    else this.#schedule(Math.min(config.interval, retry.firstMs * 2 ** (this.#failures - 1)))
  }

  #die(cause: WeirError): void {
    const listeners = [...this.#closeListeners]
    this.#stop()
    for (const listener of listeners) listener(cause)
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    if (this.#closing.aborted) return
    // What went wrong is logged, and tried again.
    this.#timer = this.#parts.clock.setTimer(() => {
      this.refresh(this.#closing.signal).catch(() => {})
    }, delayMs)
  }
}
