import { isDeepStrictEqual } from 'node:util'
import type { ConnectionStatus, Disposable, Entry, Staleness } from '../../core/catalog.ts'
import type { Clock } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import type { Logger } from '../../core/logger.ts'
import type { TargetStore } from '../../core/stores.ts'
import type { RunContext, Target } from '../../core/tool.ts'
import { EntryBook } from './entry-book.ts'
import { readRegularly } from './health.ts'
import { Lifeline } from './lifeline.ts'
import { ResourceWatchers } from './resource-watchers.ts'
import { StaleMark } from './stale-mark.ts'
import type { Route } from './standing-target.ts'
import { isSameOffer } from './target-definition.ts'
import { TargetMemory } from './target-memory.ts'
import type { Uptime } from './uptime.ts'

type Notes = Readonly<Record<string, string>>

/** How one configured connection is opened; the connector, its config and its context are already bound. */
export interface ConnectionSource {
  readonly name: string
  readonly type: string
  /** Opened by its first call where it is remembered what it offers; else at once, to learn it. */
  readonly isLazy?: boolean
  /** Closed again after so long without a call, where it is lazy and can be started again: a process, say. */
  readonly idleMs?: number
  /** Of its configuration, as `fingerprintOf` makes it. Without one nothing outlives the process. */
  readonly fingerprint?: string
  /** Of everything that is configured about it: a connection of the same identity lives through a change of the catalog. */
  readonly identity?: string
  /** `notes`: what `Connection.notes` said last. */
  open(signal: AbortSignal, notes: Notes | undefined): Promise<Connection>
}

/** What a slot works with. */
export interface SlotParts {
  readonly clock: Clock
  readonly log: Logger
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** Called after the entries changed, or whether they are stale. Must not throw. */
  readonly onChange: () => void
  /** Where it is remembered what a connection offers. */
  readonly targets?: TargetStore
  /** What may be served of that which a connection offers. Asked again after `refresh`. */
  readonly review?: (targets: readonly Target[]) => readonly Target[]
}

/** One connection's place in the catalog: keeps what it offers, whether it is up or not. */
export interface ConnectionSlot {
  readonly name: string
  /** What it offers, or offered last: a connection that is down keeps its tools, whose calls wait for it or say why not. */
  readonly entries: readonly Entry[]
  /** Set where the connection has not been up for a while. */
  readonly stale: Staleness | undefined
  readonly status: ConnectionStatus
  /** False where no call can be under way. Of a connection that cannot die nobody counts them: it is busy while it is open. */
  readonly isBusy: boolean
  /** Resolves when the first attempt to open has ended, well or badly, or was put off until the first call. */
  readonly settled: Promise<void>
  /** Resolves when it is known how the connection stands, or that only its first call will tell. */
  readonly proven: Promise<void>
  /** Follows one resource by its own URI, across restarts; `undefined` where the connection tells of no changes. */
  watch(uri: string, listener: () => void): Disposable | undefined
  /** Reviews again what the connection offers. */
  refresh(): void
  /** Never rejects. Resolves when the connection is gone, or after 10 s. Calling it twice is safe. */
  close(): Promise<void>
}

/** Begins to open at once, or as soon as what is remembered has been read. */
export function createConnectionSlot(source: ConnectionSource, parts: SlotParts): ConnectionSlot {
  return new LiveSlot(source, parts)
}

class LiveSlot implements ConnectionSlot, Route {
  readonly #source: ConnectionSource
  readonly #parts: SlotParts
  readonly #lifeline: Lifeline
  readonly #book: EntryBook
  readonly #watchers: ResourceWatchers
  readonly #mark: StaleMark
  readonly #memory: TargetMemory | undefined
  /** What the connection offers, or offered last, before the review. */
  #offered: readonly Target[] = []
  #notes: Notes | undefined
  #isRecalling: boolean
  #closing: Promise<void> | undefined
  readonly #known = Promise.withResolvers<void>()
  readonly settled: Promise<void>
  readonly proven = this.#known.promise

  constructor(source: ConnectionSource, parts: SlotParts) {
    this.#source = source
    this.#parts = parts
    const { clock, log, random, onChange } = parts
    const { name } = source
    this.#book = new EntryBook(this, log)
    this.#watchers = new ResourceWatchers(log)
    this.#mark = new StaleMark(clock, onChange)
    this.#lifeline = new Lifeline({
      ...{ name, clock, log, random },
      open: (signal) => source.open(signal, this.#notes),
      onOpen: (uptime) => this.#take(uptime),
      onLost: () => this.#watchers.leave(),
      onState: () => this.#markState(),
      ...(source.isLazy === true && source.idleMs !== undefined ? { idleMs: source.idleMs } : {}),
      isNeeded: () => this.#watchers.count > 0,
      describe: () => ({ tools: this.status.tools }),
    })
    this.#memory = createMemory(source, parts)
    this.#isRecalling = this.#memory !== undefined
    this.settled = this.#memory === undefined ? this.#lifeline.start() : this.#recall(this.#memory)
  }

  get name(): string {
    return this.#source.name
  }

  get entries(): readonly Entry[] {
    return this.#book.entries
  }

  get stale(): Staleness | undefined {
    return this.#mark.stale
  }

  get isBusy(): boolean {
    const { uptime } = this.#lifeline
    return uptime !== undefined && (!uptime.isMortal || uptime.underWay > 0)
  }

  get status(): ConnectionStatus {
    const { name, type } = this.#source
    const { state, cause } = this.#lifeline
    const count = (kind: Target['kind']) => this.entries.filter(({ target }) => target.kind === kind).length
    const counts = { tools: count('tool'), resources: count('resource'), prompts: count('prompt') }
    const shown = this.#isRecalling ? 'starting' : state
    return { name, type, state: shown, ...counts, ...(cause === undefined ? {} : { cause }) }
  }

  watch(uri: string, listener: () => void): Disposable | undefined {
    const watcher = this.#watchers.add(uri, listener)
    void this.#lifeline.start()
    return watcher
  }

  refresh(): void {
    if (this.#book.take(this.#review(), this.#lifeline.uptime)) this.#parts.onChange()
  }

  reach({ stop }: RunContext, left?: Uptime, why?: unknown): Promise<Uptime> {
    return this.#lifeline.reach(stop, left, why)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** What was offered before is there at once, and run by waiting for the connection. */
  async #recall(memory: TargetMemory): Promise<void> {
    const found = await memory.recall()
    this.#isRecalling = false
    if (this.#closing !== undefined) return
    // A call may have started the connection meanwhile; it knows better.
    if (found !== undefined && this.#lifeline.uptime === undefined) {
      this.#offered = found.targets
      this.#notes ??= found.notes
      this.refresh()
    }
    if (found !== undefined && this.#source.isLazy === true) return this.#known.resolve()
    const starting = this.#lifeline.start()
    if (found !== undefined && this.#lifeline.state !== 'up') this.#mark.setStarting(found.seenAt)
    await starting
  }

  #take(uptime: Uptime): readonly Disposable[] {
    const { connection } = uptime
    const { clock, random, onChange } = this.#parts
    if (this.#read(uptime)) onChange()
    this.#watchers.follow(connection)
    const subscriptions = [
      readRegularly(uptime, { clock, random }),
      connection.onChange?.(() => this.#readAgain(uptime)),
    ]
    return subscriptions.filter((subscription) => subscription !== undefined)
  }

  #readAgain(uptime: Uptime): void {
    if (uptime.isOver) return
    try {
      if (this.#read(uptime)) this.#parts.onChange()
    } catch (thrown) {
      // One that cannot say what it offers is as good as dead.
      this.#lifeline.lose(uptime, thrown, false)
    }
  }

  #read(uptime: Uptime): boolean {
    const { connection } = uptime
    const [offered, notes] = [this.#offered, this.#notes]
    this.#offered = connection.targets()
    this.#notes = connection.notes?.() ?? notes
    const isChanged = this.#book.take(this.#review(), uptime)
    if (this.#memory === undefined) return isChanged
    // What the review holds back has changed unseen.
    const isNew = isChanged || (this.#parts.review !== undefined && !isSameOffer(this.#offered, offered))
    if (isNew || !isDeepStrictEqual(this.#notes, notes))
      this.#memory.remember(this.#offered, this.#notes ?? {})
    return isChanged
  }

  #review(): readonly Target[] {
    const { review } = this.#parts
    return review === undefined ? this.#offered : review(this.#offered)
  }

  #markState(): void {
    const { state } = this.#lifeline
    if (state !== 'starting') this.#known.resolve()
    // What rests is as good as up: its first call opens it.
    const isWell = state === 'up' || state === 'idle'
    if (state === 'starting' && this.#mark.isStarting) return
    if (!isWell) this.#mark.set(() => this.#lifeline.cause ?? '', this.#parts.clock.now())
    else if (this.#mark.clear()) this.#parts.onChange()
  }

  async #close(): Promise<void> {
    this.#mark.clear()
    this.#known.resolve()
    // Unchanged or not: it was seen just now.
    if (this.#lifeline.uptime !== undefined) this.#memory?.remember(this.#offered, this.#notes ?? {})
    await Promise.all([this.#lifeline.close(), this.#memory?.close()])
  }
}

function createMemory(
  { name: connection, fingerprint }: ConnectionSource,
  { targets: store, clock, log }: SlotParts,
): TargetMemory | undefined {
  if (store === undefined || fingerprint === undefined) return undefined
  return new TargetMemory({ connection, fingerprint, store, clock, log })
}
