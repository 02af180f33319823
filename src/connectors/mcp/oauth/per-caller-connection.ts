import type { Caller } from '../../../core/caller.ts'
import type { Disposable } from '../../../core/catalog.ts'
import type { Clock, Timer } from '../../../core/clock.ts'
import type { Connection } from '../../../core/connector.ts'
import { WeirError } from '../../../core/error.ts'
import type { RunContext, Target } from '../../../core/tool.ts'
import { abandonOn } from '../abandon-on.ts'

const callersMax = 100
const idleMs = 5 * 60_000

/** One caller's own connection, and how many of their calls are under way on it. */
interface Seat {
  readonly opening: Promise<Connection>
  /** Under way now. */
  calls: number
  usedAtMs: number
}

/** How connections are opened for callers. */
export interface PerCallerOptions {
  /** Weir's own connection, with which targets are listed. */
  readonly own: Connection
  readonly openFor: (caller: Caller) => Promise<Connection>
  readonly clock: Clock
}

/**
 * One list for all, and for each caller a connection of their own: token, session, sockets and whatever the server
 * remembers of them are never another's (S5).
 */
export class PerCallerConnection implements Connection {
  readonly #options: PerCallerOptions
  readonly #seats = new Map<string, Seat>()
  #source: readonly Target[] | undefined
  #targets: readonly Target[] = []
  #timer: Timer | undefined
  #isClosed = false

  constructor(options: PerCallerOptions) {
    this.#options = options
  }

  targets(): readonly Target[] {
    const source = this.#options.own.targets()
    if (source !== this.#source) {
      this.#source = source
      this.#targets = source.map((target) => this.#divert(target))
    }
    return this.#targets
  }

  notes(): Readonly<Record<string, string>> {
    return this.#options.own.notes?.() ?? {}
  }

  watch(uri: string, listener: () => void): Disposable | undefined {
    return this.#options.own.watch?.(uri, listener)
  }

  onChange(listener: () => void): Disposable {
    return this.#options.own.onChange?.(listener) ?? { dispose: () => {} }
  }

  onClose(listener: (cause: Error) => void): Disposable {
    return this.#options.own.onClose?.(listener) ?? { dispose: () => {} }
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#options.own.check(signal)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    const leaving = [...this.#seats.values()]
    this.#seats.clear()
    await Promise.all([this.#options.own.close(), ...leaving.map(closeSeat)])
  }

  /** The same target, run on the caller's own connection; what hangs on it too. */
  #divert<T extends Target>(target: T, part?: Part, owner: Target = target): T {
    const completion = partOf(target, 'completion')
    const tasks = partOf(target, 'tasks')
    return {
      ...target,
      ...(completion === undefined ? {} : { completion: this.#divert(completion, 'completion', target) }),
      ...(tasks === undefined ? {} : { tasks: this.#divert(tasks, 'tasks', target) }),
      run: (input: never, context: RunContext) => this.#run(owner, part, input, context),
    }
  }

  async #run(owner: Target, part: Part | undefined, input: never, context: RunContext) {
    const seat = this.#take(context.caller)
    seat.calls += 1
    try {
      const connection = await abandonOn(context.stop, seat.opening)
      const found = connection.targets().find(({ kind, name }) => kind === owner.kind && name === owner.name)
      const target = found === undefined || part === undefined ? found : partOf(found, part)
      if (target === undefined) throw notOffered(owner)
      return await target.run(input, context)
    } finally {
      seat.calls -= 1
      seat.usedAtMs = this.#options.clock.monotonicMs()
    }
  }

  /** The caller's connection, opened by their first call; a failed opening is tried again by the next one. */
  #take(caller: Caller): Seat {
    if (this.#isClosed)
      throw new WeirError('CONNECTION_UNAVAILABLE', 'The connection to the MCP server was closed.')
    const key = JSON.stringify([caller.tenant, caller.subject])
    const known = this.#seats.get(key)
    if (known !== undefined) {
      // The map's order is that of use, so that the one longest unused is found first.
      this.#seats.delete(key)
      this.#seats.set(key, known)
      return known
    }
    if (this.#seats.size >= callersMax) this.#makeRoom()
    const { openFor, clock } = this.#options
    const seat: Seat = { opening: openFor(caller), calls: 0, usedAtMs: clock.monotonicMs() }
    this.#seats.set(key, seat)
    seat.opening.catch(() => {
      if (this.#seats.get(key) === seat) this.#seats.delete(key)
    })
    this.#timer ??= clock.setTimer(() => this.#sweep(), idleMs)
    return seat
  }

  #makeRoom(): void {
    for (const [key, seat] of this.#seats) {
      if (seat.calls > 0) continue
      this.#leave(key, seat)
      return
    }
    throw new WeirError('OVERLOADED', `${callersMax} callers are calling this server at once.`, {
      hint: 'Wait until some calls have ended.',
      data: { sent: false },
    })
  }

  #sweep(): void {
    this.#timer = undefined
    const since = this.#options.clock.monotonicMs() - idleMs
    for (const [key, seat] of this.#seats) {
      if (seat.calls === 0 && seat.usedAtMs <= since) this.#leave(key, seat)
    }
    if (this.#seats.size > 0 && !this.#isClosed) {
      this.#timer = this.#options.clock.setTimer(() => this.#sweep(), idleMs)
    }
  }

  #leave(key: string, seat: Seat): void {
    this.#seats.delete(key)
    void closeSeat(seat)
  }
}

type Part = 'completion' | 'tasks'

function partOf(target: Target, part: Part): Target | undefined {
  return part in target ? (target as { readonly [name in Part]?: Target })[part] : undefined
}

function closeSeat({ opening }: Seat): Promise<void> {
  return opening.then(
    (connection) => connection.close(),
    () => {},
  )
}

function notOffered({ kind, name }: Target): WeirError {
  return new WeirError(
    'UPSTREAM_ERROR',
    `The MCP server does not offer the ${kind} ${name} to this caller.`,
    {
      hint: 'What a caller may use there is decided by the account that they agreed with.',
      data: { sent: false },
    },
  )
}
