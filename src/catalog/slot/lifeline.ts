import type { StopSignal } from '../../core/cancellation.ts'
import type { ConnectionStatus, Disposable } from '../../core/catalog.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { watchHealth, watchIdleness } from './health.ts'
import { callAsync, endsWithin, openWithin } from './open-within.ts'
import { RestartPolicy } from './restart-policy.ts'
import { Uptime } from './uptime.ts'
import { WaitingCalls } from './waiting-calls.ts'

/** What keeps a connection open, and who hears of its ups and downs. */
export interface LifelineOptions {
  readonly name: string
  readonly open: (signal: AbortSignal) => Promise<Connection>
  readonly clock: Clock
  readonly log: Logger
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** A connection is open. What it throws counts as its death; what it returns ends with the connection. */
  readonly onOpen: (uptime: Uptime) => readonly Disposable[]
  readonly onLost: () => void
  /** Called when it is up, or not up any more. */
  readonly onState: () => void
  /** How long a connection may be without a call before it is closed until the next one; for ever where absent. */
  readonly idleMs?: number
  /** Whether somebody needs it open although no call comes. */
  readonly isNeeded: () => boolean
  /** What the log says of a connection that is up. */
  readonly describe: () => object
}

/** Longer than any connector's own limit: a cold `npx` may take 60 s. */
const openMaxMs = 90_000
/** Longer than a child process is given to end before it is killed (R5). */
const closeMaxMs = 10_000
/** How long a connection that did not send a call has until it must have said that it is dead. */
const dyingMs = 2_000
const failedChecks = { untilDown: 2, untilClosed: 3 }

/** Opens one connection, watches over it, and opens it again when it dies. Calls may wait for it meanwhile. */
export class Lifeline {
  readonly #options: LifelineOptions
  readonly #policy: RestartPolicy
  readonly #waiting: WaitingCalls
  /** The attempt to open that is under way, or that made the connection there is. */
  #attempt = new AbortController()
  #opening: Promise<void> = Promise.resolve()
  #uptime: Uptime | undefined
  #subscriptions: readonly Disposable[] = []
  #state: ConnectionStatus['state'] = 'idle'
  #cause: WeirError | undefined
  #isLoopKnown = false
  #timer: Timer | undefined
  /** Ends when every connection that was let go has closed. */
  #releasing: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: LifelineOptions) {
    this.#options = options
    this.#policy = new RestartPolicy(options.clock, options.random)
    this.#waiting = new WaitingCalls(options.name, options.clock)
  }

  get state(): ConnectionStatus['state'] {
    return this.#state
  }

  get cause(): string | undefined {
    return this.#cause?.message
  }

  get uptime(): Uptime | undefined {
    return this.#uptime
  }

  /** Begins, where that has not been done. Resolves when the first attempt has ended, well or badly. */
  start(): Promise<void> {
    if (this.#state === 'idle' && this.#closing === undefined) {
      this.#state = 'starting'
      this.#opening = this.#open()
    }
    return this.#opening
  }

  /** As `Route` has it. */
  async reach(stop: StopSignal, left?: Uptime, why?: unknown): Promise<Uptime> {
    for (;;) {
      const uptime = this.#uptime
      if (uptime !== undefined && uptime !== left) return uptime
      if (this.#closing !== undefined) throw stopping()
      if (uptime !== undefined) await this.#waiting.wait(stop, { limitMs: dyingMs, late: why })
      else {
        void this.start()
        if (!this.#policy.isHopeful) throw this.#unavailable()
        await this.#waiting.wait(stop)
      }
    }
  }

  /** What the connection said shows that it is of no more use. */
  lose(uptime: Uptime, thrown: unknown, isExit = true): void {
    if (this.#uptime !== uptime) return
    this.#letGo()
    this.#release(uptime.connection)
    this.#options.onLost()
    this.#retryLater(thrown, { isExit, hasServed: uptime.answers > 0 })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(): Promise<void> {
    const { clock, open } = this.#options
    this.#policy.begin()
    const abort = new AbortController()
    this.#attempt = abort
    const release = (late: Connection) => this.#release(late)
    let opened: Connection
    try {
      opened = await openWithin({ clock, limitMs: openMaxMs, abort, open, release })
    } catch (thrown) {
      const isExit = thrown instanceof WeirError && thrown.code === 'UPSTREAM_EXITED'
      return this.#retryLater(thrown, { isExit, hasServed: false })
    }
    if (this.#closing === undefined) this.#adopt(opened)
    else this.#release(opened)
  }

  #adopt(opened: Connection): void {
    const { clock, onOpen, idleMs } = this.#options
    const uptime = new Uptime(opened)
    this.#uptime = uptime
    this.#policy.opened()
    const subscriptions: Disposable[] = []
    this.#subscriptions = subscriptions
    try {
      subscriptions.push(...onOpen(uptime))
      const dying = opened.onClose?.((cause) => this.lose(uptime, cause))
      if (dying !== undefined) subscriptions.push(dying)
    } catch (thrown) {
      this.lose(uptime, thrown, false)
    }
    if (uptime.isOver) {
      dispose(subscriptions)
      return
    }
    subscriptions.push(this.#watch(uptime))
    // Only of calls that are counted it is known that there are none.
    if (idleMs !== undefined && uptime.isMortal)
      subscriptions.push(watchIdleness(uptime, idleMs, { clock, onIdle: () => this.#rest(uptime) }))
    this.#waiting.release()
  }

  /**
   * Opening one that can die shows that its system answers. One that heals by itself opens without asking anybody: how
   * it stands is what its first check says, which comes at once. Lists and calls do not wait for that.
   */
  #watch(uptime: Uptime): Disposable {
    const { clock, random } = this.#options
    const isUnproven = !uptime.isMortal
    if (!isUnproven) this.#markUp()
    return watchHealth(uptime, {
      ...{ clock, random, isUnproven, onHealthy: () => this.#markUp() },
      onUnhealthy: (failure, failures) => {
        if (this.#state === 'starting') this.#markDown(failure, 'down')
        else this.#doubt(uptime, failure, failures)
      },
    })
  }

  #rest(uptime: Uptime): void {
    const { name: connection, log, onLost, onState, isNeeded } = this.#options
    if (this.#uptime !== uptime || isNeeded()) return
    this.#letGo()
    this.#release(uptime.connection)
    onLost()
    this.#policy.rested()
    this.#state = 'idle'
    this.#cause = undefined
    log.info({ event: 'connection.idle', connection }, 'A connection is closed until its next call.')
    onState()
  }

  #doubt(uptime: Uptime, failure: unknown, failures: number): void {
    const isDead = failures >= failedChecks.untilClosed && uptime.isMortal && uptime.underWay === 0
    if (isDead) this.lose(uptime, failure, false)
    else if (failures >= failedChecks.untilDown) this.#markDown(failure, 'down')
  }

  #retryLater(thrown: unknown, ending: { readonly isExit: boolean; readonly hasServed: boolean }): void {
    if (this.#closing !== undefined) return
    const pauseMs = this.#policy.ended(ending)
    this.#markDown(thrown, this.#policy.isLooping ? 'crash-loop' : 'down')
    if (!this.#policy.isHopeful) this.#waiting.fail(this.#unavailable())
    const open = () => {
      this.#opening = this.#open()
    }
    if (pauseMs === 0) open()
    else this.#timer = this.#options.clock.setTimer(open, pauseMs)
  }

  #markUp(): void {
    if (this.#state === 'up') return
    // One that dies right after each start has not come back before it has served.
    const isNews = !this.#policy.isLooping
    this.#state = 'up'
    this.#cause = undefined
    this.#options.onState()
    const { name: connection, log, describe } = this.#options
    if (isNews) log.info({ event: 'connection.up', connection, ...describe() }, 'A connection is up.')
  }

  #markDown(thrown: unknown, state: 'down' | 'crash-loop'): void {
    const { name: connection, log, onState } = this.#options
    const cause = explain(thrown)
    const isKnown = this.#state === state && this.#cause?.message === cause.message
    const fields = { event: `connection.${state}`, connection, cause: cause.message }
    if (state === 'down' && !isKnown) log.warn(fields, 'A connection is down.')
    if (state === 'crash-loop' && !this.#isLoopKnown)
      log.error(fields, 'A connection dies at each start; it is tried again only now and then.')
    this.#isLoopKnown = state === 'crash-loop'
    this.#state = state
    this.#cause = cause
    onState()
  }

  #unavailable(): WeirError {
    const { name } = this.#options
    const cause = this.#cause
    const how = this.#policy.isLooping ? 'dies at each start' : 'is down'
    const hint = this.#policy.isLooping
      ? 'Weir tries again every half minute. The log holds the end of what the server printed before it died.'
      : (cause?.hint ?? 'Weir keeps trying; the log says why it is down.')
    const why = cause === undefined ? '' : `: ${cause.message}`
    return new WeirError('CONNECTION_UNAVAILABLE', `The connection "${name}" ${how}${why}`, {
      hint,
      ...(cause === undefined ? {} : { cause }),
      data: { connection: name, sent: false },
    })
  }

  #letGo(): void {
    dispose(this.#subscriptions)
    this.#subscriptions = []
    if (this.#uptime !== undefined) this.#uptime.isOver = true
    this.#uptime = undefined
  }

  async #close(): Promise<void> {
    const { clock, log, name: connection } = this.#options
    const uptime = this.#uptime
    this.#letGo()
    this.#timer?.cancel()
    this.#waiting.fail(stopping())
    this.#attempt.abort(stopping())
    if (uptime !== undefined) this.#release(uptime.connection)
    const closed = this.#opening.then(() => this.#releasing)
    if (await endsWithin(clock, closed, closeMaxMs)) return
    log.warn({ event: 'connection.stuck', connection }, 'A connection did not close.')
  }

  #release(connection: Connection): void {
    const released = callAsync(() => connection.close()).catch((thrown: unknown) => {
      const cause = thrown instanceof Error ? thrown.message : String(thrown)
      const fields = { event: 'connection.close-failed', connection: this.#options.name, cause }
      this.#options.log.warn(fields, 'A connection failed to close.')
    })
    this.#releasing = this.#releasing.then(() => released)
  }
}

function dispose(subscriptions: readonly Disposable[]): void {
  for (const subscription of subscriptions) subscription.dispose()
}

function stopping(): WeirError {
  return new WeirError('SHUTTING_DOWN', 'Weir is stopping.')
}

/** Why a connection is not up, in words that may be shown: those of an unexpected error say more than our own for it. */
function explain(thrown: unknown): WeirError {
  const error = toWeirError(thrown)
  if (error.code !== 'INTERNAL' || !(thrown instanceof Error)) return error
  return new WeirError('CONNECTION_UNAVAILABLE', thrown.message, { cause: thrown })
}
