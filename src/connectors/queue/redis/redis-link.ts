import type { createClient } from 'redis'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { Timer } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { BrokerConfig, BrokerContext } from '../broker.ts'
import { createUnavailable } from '../broker-errors.ts'
import { createClientOptions } from './client-options.ts'
import { explainFailure } from './explain-failure.ts'
import type { Script } from './scripts.ts'

type Redis = typeof import('redis')
type Client = ReturnType<typeof createClient>

/** How long a command may take once it was written, and how long a call waits for the first connection. */
const answerTimeoutMs = 5000
const readyTimeoutMs = 2000

/** Which broker it is, for messages. */
export const redisTitle = 'Redis'

/**
 * One connection to Redis, made when it is first used, and made again by itself. While it is known to be down, commands
 * fail at once and nothing is kept for later.
 */
export class RedisLink {
  readonly #redis: Redis
  readonly #config: BrokerConfig
  readonly #context: BrokerContext
  readonly #waiting = new Set<() => void>()
  #client: Client | undefined
  /** Why there is no connection; undefined while there is one, or none was tried yet. */
  #failure: Error | undefined
  /** While a connection was made and Redis has not greeted yet. */
  #greeting: Timer | undefined
  #isClosed = false

  constructor(redis: Redis, config: BrokerConfig, context: BrokerContext) {
    this.#redis = redis
    this.#config = config
    this.#context = context
  }

  get broker(): { readonly name: string; readonly title: string } {
    return { name: this.#context.name, title: redisTitle }
  }

  /** Whether commands can be sent right now. */
  get isReady(): boolean {
    return this.#client?.isReady === true
  }

  /** Runs a script, which Redis knows by its SHA-1 from the first time on. Texts in the answer are Buffers. */
  async run(
    script: Script,
    keys: readonly string[],
    values: readonly string[],
    stop?: StopSignal,
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...values]
    try {
      return await this.command(['EVALSHA', script.sha1, ...rest], stop)
    } catch (thrown) {
      const { cause } = thrown as Error
      if (!(cause instanceof Error) || !cause.message.startsWith('NOSCRIPT')) throw thrown
      return this.command(['EVAL', script.text, ...rest], stop)
    }
  }

  /** Rejects with the stop signal's own reason; Redis may then have run the command all the same. */
  async command(args: readonly string[], stop?: StopSignal): Promise<unknown> {
    const client = await this.#ready(stop)
    const typeMapping = { [this.#redis.RESP_TYPES.BLOB_STRING]: Buffer }
    const sent = client.sendCommand([...args], { typeMapping }).catch((thrown: unknown) => {
      throw this.#isClosed ? this.#renderClosed(true) : explainFailure(this.#redis, this.broker, thrown)
    })
    return this.#bound(sent, client, stop)
  }

  /** Safe to call twice; no socket is left, not even one that was being opened. */
  close(): void {
    this.#isClosed = true
    this.#client?.destroy()
    this.#note(undefined)
  }

  async #ready(stop?: StopSignal): Promise<Client> {
    if (stop?.aborted) throw stop.reason
    this.#requireOpen()
    this.#client ??= this.#connect()
    if (this.#client.isReady) return this.#client
    if (this.#failure === undefined) await this.#waitForNews(stop)
    this.#requireOpen()
    if (stop?.aborted) throw stop.reason
    if (this.#client.isReady) return this.#client
    throw this.#renderDown()
  }

  #requireOpen(): void {
    if (this.#isClosed) throw this.#renderClosed(false)
  }

  #renderClosed(sent: boolean): WeirError {
    return new WeirError('CONNECTION_UNAVAILABLE', 'The connection is closed.', { data: { sent } })
  }

  #renderDown(): WeirError {
    if (this.#failure === undefined) {
      return createUnavailable(this.broker, `did not answer within ${readyTimeoutMs / 1000} s`, {
        sent: false,
      })
    }
    const explained = explainFailure(this.#redis, this.broker, this.#failure)
    return new WeirError('BROKER_UNAVAILABLE', explained.message, {
      hint: 'Try again in a moment; Weir reconnects by itself.',
      data: { connection: this.#context.name, sent: false },
      cause: this.#failure,
    })
  }

  #connect(): Client {
    const client: Client = this.#redis.createClient(createClientOptions(this.#config))
    client.on('connect', () => {
      // The library finishes an attempt that was under way when it was told to stop.
      if (this.#isClosed || this.#client !== client) client.destroy()
      else this.#greeting = this.#context.clock.setTimer(() => this.#drop(client), answerTimeoutMs)
    })
    client.on('ready', () => {
      if (this.#client === client) this.#note(undefined)
    })
    client.on('error', (failure: Error) => {
      if (this.#client === client && !this.#isClosed) this.#note(failure)
    })
    // It never gives up by itself; what it says on the way comes as an event.
    client.connect().catch(() => {})
    return client
  }

  /** What is known of the connection now; whoever waits for news hears it. */
  #note(failure: Error | undefined): void {
    this.#greeting?.cancel()
    if (failure !== undefined && this.#failure === undefined) {
      this.#context.log.warn({ err: failure }, 'The broker is not reachable.')
    }
    this.#failure = failure
    for (const wake of this.#waiting) wake()
  }

  /** A connection on which nothing comes back is as good as none. */
  #drop(client: Client): void {
    if (this.#client !== client || this.#isClosed) return
    this.#client = this.#connect()
    this.#note(new Error(`no answer within ${answerTimeoutMs} ms`))
    client.destroy()
  }

  #waitForNews(stop?: StopSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel()
        this.#waiting.delete(end)
        stop?.removeEventListener('abort', end)
        resolve()
      }
      const timer = this.#context.clock.setTimer(end, readyTimeoutMs)
      this.#waiting.add(end)
      stop?.addEventListener('abort', end)
    })
  }

  #bound(sent: Promise<unknown>, client: Client, stop?: StopSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onStop = () => end(() => reject(stop!.reason))
      const timer: Timer = this.#context.clock.setTimer(() => {
        end(() =>
          reject(
            createUnavailable(this.broker, `did not answer within ${answerTimeoutMs / 1000} s`, {
              sent: true,
            }),
          ),
        )
        this.#drop(client)
      }, answerTimeoutMs)
      const end = (settle: () => void) => {
        timer.cancel()
        stop?.removeEventListener('abort', onStop)
        settle()
      }
      stop?.addEventListener('abort', onStop)
      sent.then(
        (reply) => end(() => resolve(reply)),
        (thrown) => end(() => reject(thrown)),
      )
    })
  }
}
