import type { ConnectionStatus, Disposable, Entry } from '../core/catalog.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { Connection } from '../core/connector.ts'
import { toWeirError, WeirError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import type { Target } from '../core/tool.ts'

/** How one configured connection is opened; the connector, its config and its context are already bound. */
export interface ConnectionSource {
  readonly name: string
  readonly type: string
  open(signal: AbortSignal): Promise<Connection>
}

/** What a slot works with. */
export interface SlotParts {
  readonly clock: Clock
  readonly log: Logger
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** Called after the entries or the state changed. Must not throw. */
  readonly onChange: () => void
}

/**
 * Pauses between attempts to open: doubling, with full jitter so that many gateways do not knock at once. Only a
 * connection that stayed up for a while starts again from the shortest, or one that dies at once would be opened
 * four times a second for ever.
 */
const retry = { firstMs: 500, maxMs: 30_000, stableMs: 10_000 }
/** Longer than any connector's own limit: a cold `npx` may take 60 s. */
const openMaxMs = 90_000
/** Longer than a child process is given to end before it is killed (R5). */
const closeMaxMs = 10_000

/** One connection's place in the catalog: opens it, keeps what it offers, opens it again when it dies. */
export interface ConnectionSlot {
  readonly name: string
  /** What it offers, or offered last: a connection that is down keeps its tools, which then say so when called. */
  readonly entries: readonly Entry[]
  readonly status: ConnectionStatus
  /** Resolves when the first attempt to open has ended, well or badly. */
  readonly settled: Promise<void>
  /** Follows one resource by its own URI; `undefined` where the connection tells of no changes. */
  watch(uri: string, listener: () => void): Disposable | undefined
  /** Never rejects. Resolves when the connection is gone, or after 10 s. Calling it twice is safe. */
  close(): Promise<void>
}

/** Begins to open at once. */
export function createConnectionSlot(source: ConnectionSource, parts: SlotParts): ConnectionSlot {
  return new LiveSlot(source, parts)
}

class LiveSlot implements ConnectionSlot {
  readonly #source: ConnectionSource
  readonly #parts: SlotParts
  /** The attempt to open that is under way, or that made the connection there is. */
  #attempt = new AbortController()
  #opening: Promise<void>
  #connection: Connection | undefined
  #subscriptions: readonly Disposable[] = []
  #entries: readonly Entry[] = []
  #state: ConnectionStatus['state'] = 'starting'
  #cause: string | undefined
  #failures = 0
  #upSinceMs = 0
  #timer: Timer | undefined
  /** Ends when every connection that was let go has closed. */
  #releasing: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined
  readonly settled: Promise<void>

  constructor(source: ConnectionSource, parts: SlotParts) {
    this.#source = source
    this.#parts = parts
    this.#opening = this.#open()
    this.settled = this.#opening
  }

  get name(): string {
    return this.#source.name
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  get status(): ConnectionStatus {
    const { name, type } = this.#source
    const cause = this.#cause === undefined ? {} : { cause: this.#cause }
    const count = (kind: Target['kind']) => this.#entries.filter(({ target }) => target.kind === kind).length
    const counts = { tools: count('tool'), resources: count('resource'), prompts: count('prompt') }
    return { name, type, state: this.#state, ...counts, ...cause }
  }

  watch(uri: string, listener: () => void): Disposable | undefined {
    return this.#connection?.watch?.(uri, listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(): Promise<void> {
    try {
      const opened = await this.#openWithin(openMaxMs)
      if (this.#closing === undefined) this.#adopt(opened)
      else this.#release(opened)
    } catch (thrown) {
      this.#retryLater(thrown)
    }
  }

  /** A connection that comes after its time, or after we stopped, is closed again. */
  #openWithin(limitMs: number): Promise<Connection> {
    const attempt = new AbortController()
    this.#attempt = attempt
    return new Promise((resolve, reject) => {
      const timer = this.#parts.clock.setTimer(() => {
        const late = new WeirError('CONNECTION_UNAVAILABLE', `It did not open within ${limitMs} ms.`)
        attempt.abort(late)
        reject(late)
      }, limitMs)
      callAsync(() => this.#source.open(attempt.signal)).then(
        (opened) => {
          timer.cancel()
          if (!attempt.signal.aborted) return resolve(opened)
          this.#release(opened)
          reject(attempt.signal.reason)
        },
        (thrown) => {
          timer.cancel()
          reject(thrown)
        },
      )
    })
  }

  #adopt(opened: Connection): void {
    this.#connection = opened
    this.#upSinceMs = this.#parts.clock.monotonicMs()
    const subscriptions: Disposable[] = []
    this.#subscriptions = subscriptions
    if (!this.#readTargets(opened)) return
    this.#state = 'up'
    this.#cause = undefined
    const { log, onChange } = this.#parts
    const { tools } = this.status
    log.info({ event: 'connection.up', connection: this.name, tools }, 'A connection is up.')
    if (opened.onChange !== undefined) subscriptions.push(opened.onChange(() => this.#refresh(opened)))
    if (opened.onClose !== undefined) subscriptions.push(opened.onClose((cause) => this.#lose(opened, cause)))
    onChange()
  }

  #refresh(connection: Connection): void {
    if (this.#connection === connection && this.#readTargets(connection)) this.#parts.onChange()
  }

  /** False where the connection cannot say what it offers; it is then as good as dead. */
  #readTargets(connection: Connection): boolean {
    try {
      this.#entries = makeEntries(this.name, connection.targets(), this.#entries, this.#parts.log)
      return true
    } catch (thrown) {
      this.#lose(connection, thrown)
      return false
    }
  }

  #lose(connection: Connection, thrown: unknown): void {
    if (this.#connection !== connection) return
    const upMs = this.#parts.clock.monotonicMs() - this.#upSinceMs
    if (upMs >= retry.stableMs) this.#failures = 0
    this.#letGo()
    this.#release(connection)
    this.#retryLater(thrown)
  }

  #retryLater(thrown: unknown): void {
    if (this.#closing !== undefined) return
    this.#markDown(thrown)
    const ceilingMs = Math.min(retry.maxMs, retry.firstMs * 2 ** Math.min(this.#failures, 10))
    this.#failures += 1
    this.#timer = this.#parts.clock.setTimer(() => {
      this.#opening = this.#open()
    }, this.#parts.random() * ceilingMs)
  }

  #markDown(thrown: unknown): void {
    const error = toWeirError(thrown)
    const cause = error.code === 'INTERNAL' && thrown instanceof Error ? thrown.message : error.message
    if (this.#state !== 'down' || this.#cause !== cause) {
      this.#parts.log.warn(
        { event: 'connection.down', connection: this.name, cause },
        'A connection is down.',
      )
    }
    this.#state = 'down'
    this.#cause = cause
    this.#parts.onChange()
  }

  #letGo(): void {
    for (const subscription of this.#subscriptions) subscription.dispose()
    this.#subscriptions = []
    this.#connection = undefined
  }

  async #close(): Promise<void> {
    const { clock, log } = this.#parts
    const connection = this.#connection
    this.#letGo()
    this.#timer?.cancel()
    this.#attempt.abort(new WeirError('SHUTTING_DOWN', 'Weir is stopping.'))
    if (connection !== undefined) this.#release(connection)
    const closed = this.#opening.then(() => this.#releasing)
    if (await endsWithin(clock, closed, closeMaxMs)) return
    log.warn({ event: 'connection.stuck', connection: this.name }, 'A connection did not close.')
  }

  #release(connection: Connection): void {
    const released = callAsync(() => connection.close()).catch((thrown: unknown) => {
      const cause = thrown instanceof Error ? thrown.message : String(thrown)
      const fields = { event: 'connection.close-failed', connection: this.name, cause }
      this.#parts.log.warn(fields, 'A connection failed to close.')
    })
    this.#releasing = this.#releasing.then(() => released)
  }
}

/** What a function throws at once rejects like what it throws later. */
async function callAsync<T>(run: () => Promise<T>): Promise<T> {
  return run()
}

/** Whether the promise, which never rejects, ends in time. */
function endsWithin(clock: Clock, promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(() => resolve(false), limitMs)
    void promise.then(() => {
      timer.cancel()
      resolve(true)
    })
  })
}

/**
 * An entry lives as long as its target, so that a chain composed for it is found again after an unrelated change. Of
 * two targets of one kind and name the first counts, under every name that either has.
 */
function makeEntries(
  connection: string,
  targets: readonly Target[],
  known: readonly Entry[],
  log: Logger,
): readonly Entry[] {
  const byTarget = new Map(known.map((entry) => [entry.target, entry]))
  const byId = new Map<string, Entry>()
  for (const target of targets) {
    const id = idOf(connection, target)
    if (byId.has(id))
      log.error({ connection, [target.kind]: target.name }, 'A connection offers a target twice.')
    else byId.set(id, byTarget.get(target) ?? makeEntry(id, connection, target))
  }
  return [...byId.values()]
}

function makeEntry(id: string, connection: string, target: Target): Entry {
  const completion = 'completion' in target ? target.completion : undefined
  const tasks = 'tasks' in target ? target.tasks : undefined
  return Object.freeze({
    ...{ id, connection, target },
    ...(completion === undefined
      ? {}
      : { completion: Object.freeze({ id, connection, target: completion }) }),
    ...(tasks === undefined ? {} : { tasks: Object.freeze({ id, connection, target: tasks }) }),
  })
}

/** Resources and prompts have their kind before the connection, whose names may not be those words (C-03). */
function idOf(connection: string, { kind, name }: Target): string {
  if (kind === 'tool') return `${connection}:${name}`
  return `${kind === 'prompt' ? 'prompt' : 'resource'}:${connection}:${name}`
}
