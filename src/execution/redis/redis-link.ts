import type { createClient, RedisClientOptions } from 'redis'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'

type Client = ReturnType<typeof createClient>

/** One connection, and the moment at which it is known whether there is one. */
interface Link {
  readonly client: Client
  readonly greeted: Promise<void>
  readonly sinceMs: number
}

/** A call waits no longer than this for Redis; it goes on without. */
const answerMs = 100
/** How long Redis is left alone after it did not answer in time. */
const pauseMs = 1_000
const commandsMax = 10_000
const connectMs = 2_000
const reconnectMsMax = 1_000

/** A script that runs inside Redis as one step, known by its SHA-1 from the first time on. */
export interface Script {
  readonly text: string
  readonly sha1: string
}

/** Where Redis is, and what all keys and channels of this Weir begin with. */
export interface RedisSettings {
  readonly url: string
  readonly prefix: string
}

/**
 * What several Weirs share over Redis, and none depends on: connected by the first use, again and again by itself. While
 * Redis is away every request rejects at once, and none takes longer than 100 ms. The log says once that it is away.
 */
export class RedisLink {
  readonly prefix: string
  readonly #url: string
  readonly #clock: Clock
  readonly #log: Logger
  readonly #opened = new Set<Client>()
  #link: Promise<Link> | undefined
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  #isAway = false
  #isClosed = false

  constructor({ url, prefix }: RedisSettings, parts: { readonly clock: Clock; readonly log: Logger }) {
    this.#url = url
    this.prefix = prefix
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /** Connects before the first use, which then need not wait for it. */
  connect(): void {
    this.#link ??= this.#connect()
    this.#link.catch(() => {})
  }

  /** Runs a script. Texts in the answer are strings. */
  async run(script: Script, keys: readonly string[], values: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...values]
    try {
      return await this.send(['EVALSHA', script.sha1, ...rest])
    } catch (thrown) {
      if (!(thrown instanceof Error) || !thrown.message.startsWith('NOSCRIPT')) throw thrown
      return this.send(['EVAL', script.text, ...rest])
    }
  }

  /** Sends one command. Rejects where Redis does not answer in time; it may then have run it all the same. */
  send(args: readonly string[]): Promise<unknown> {
    if (this.#isClosed || this.#clock.monotonicMs() < this.#pausedUntilMs) {
      return Promise.reject(new Error('Redis is away'))
    }
    this.connect()
    return this.#bound(this.#link!, args)
  }

  /** Hears what is published on a channel. `onGap`: something may have been missed, because Redis was away. */
  async subscribe(channel: string, listener: (message: string) => void, onGap: () => void): Promise<void> {
    const client = await this.#open()
    const hear = () => client.subscribe(this.prefix + channel, (message) => listener(String(message)))
    // The library subscribes again by itself whenever it reconnects.
    client.once('ready', () => void hear().catch(() => {}))
    client.on('ready', onGap)
  }

  /** Leaves no socket. Safe to call twice. */
  close(): void {
    this.#isClosed = true
    for (const client of this.#opened) this.#drop(client)
  }

  #drop(client: Client): void {
    this.#opened.delete(client)
    if (client.isOpen) client.destroy()
  }

  /** A connection on which nothing comes back is as good as none; one that is being made gets its time. */
  #giveUp(link: Promise<Link>, { client, sinceMs }: Link): void {
    const nowMs = this.#clock.monotonicMs()
    this.#pausedUntilMs = nowMs + pauseMs
    this.#note(new Error(`Redis did not answer within ${answerMs} ms`))
    if (this.#link !== link || (!client.isReady && nowMs < sinceMs + connectMs)) return
    this.#link = undefined
    this.#drop(client)
  }

  async #connect(): Promise<Link> {
    const client = await this.#open()
    client.on('ready', () => this.#note(undefined))
    client.on('error', (failure: Error) => this.#note(failure))
    const greeted = new Promise<void>((resolve) => {
      client.once('ready', resolve)
      client.once('error', () => resolve())
    })
    return { client, greeted, sinceMs: this.#clock.monotonicMs() }
  }

  async #open(): Promise<Client> {
    const { createClient } = await import('redis')
    const options: RedisClientOptions = {
      url: this.#url,
      disableOfflineQueue: true,
      disableClientInfo: true,
      commandsQueueMaxLength: commandsMax,
      maintNotifications: 'disabled',
      socket: {
        connectTimeout: connectMs,
        reconnectStrategy: (retries) => Math.min(reconnectMsMax, 50 * 2 ** Math.min(retries, 10)),
      },
    }
    if (this.#isClosed) throw new Error('closed')
    const client = createClient(options)
    this.#opened.add(client)
    // Without a listener the first failure would end the process.
    client.on('error', () => {})
    client.on('connect', () => {
      // The library finishes an attempt that was under way when it was told to stop.
      if (!this.#opened.has(client)) client.destroy()
    })
    client.connect().catch(() => {})
    return client
  }

  #note(failure: Error | undefined): void {
    const isAway = failure !== undefined
    if (isAway === this.#isAway || this.#isClosed) return
    this.#isAway = isAway
    if (isAway) {
      const fields = { event: 'redis.away', error: failure.message }
      this.#log.warn(fields, 'Redis is away; this process goes on with what it has itself.')
    } else this.#log.info({ event: 'redis.back' }, 'Redis is back.')
  }

  #bound(link: Promise<Link>, args: readonly string[]): Promise<unknown> {
    const answer = link.then(async ({ client, greeted }) => {
      if (!client.isReady) await greeted
      return client.sendCommand([...args])
    })
    return new Promise((resolve, reject) => {
      const timer: Timer = this.#clock.setTimer(() => {
        link.then((it) => this.#giveUp(link, it)).catch(() => {})
        reject(new Error('Redis did not answer in time'))
      }, answerMs)
      answer.then(
        (reply) => {
          timer.cancel()
          this.#note(undefined)
          resolve(reply)
        },
        (thrown) => {
          timer.cancel()
          reject(thrown)
        },
      )
    })
  }
}
