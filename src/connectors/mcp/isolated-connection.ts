import type { Caller } from '../../core/caller.ts'
import type { StopSignal } from '../../core/cancellation.ts'
import type { Disposable } from '../../core/catalog.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import { toWeirError, WeirError, wasNotSent } from '../../core/error.ts'
import type { RunContext, Target, Tool } from '../../core/tool.ts'
import { abandonOn } from '../shared/abandon-on.ts'

/** How long a caller's own connection stays open without a call, and how often that is looked at. */
const idle = { maxMs: 10 * 60_000, lookEveryMs: 30_000 }

/** What an isolated connection works with. */
export interface IsolationOptions {
  /** The one that is listed, watched and checked. No call goes to it. */
  readonly shared: Connection
  /** Opens one more connection to the same server, for this caller alone. */
  readonly open: (caller: Caller) => Promise<Connection>
  readonly clock: Clock
  /** Callers' connections open at once; where all are busy, one more caller is refused. */
  readonly callersMax: number
}

/** One caller's own connection. */
interface Private {
  readonly opening: Promise<Connection>
  calls: number
  usedMs: number
}

/**
 * A connection to a server that keeps state of its user: every caller gets one of its own, opened by its first call
 * (S5). What a server remembers of one caller, it says to no other.
 */
export class IsolatedConnection implements Connection {
  readonly #options: IsolationOptions
  readonly #byCaller = new Map<string, Private>()
  readonly #closings = new Set<Promise<unknown>>()
  #known: { readonly of: readonly Target[]; readonly targets: readonly Target[] } | undefined
  #timer: Timer | undefined
  #isClosed = false
  /** Absent where the shared one cannot die. */
  readonly onClose?: (listener: (cause: Error) => void) => Disposable

  constructor(options: IsolationOptions) {
    this.#options = options
    const { shared } = options
    if (shared.onClose !== undefined) this.onClose = shared.onClose.bind(shared)
    this.#lookLater()
  }

  targets(): readonly Target[] {
    const of = this.#options.shared.targets()
    if (this.#known?.of !== of) this.#known = { of, targets: of.map((target) => this.#redirect(target)) }
    return this.#known.targets
  }

  notes(): Readonly<Record<string, string>> {
    return this.#options.shared.notes?.() ?? {}
  }

  watch(uri: string, listener: () => void): Disposable | undefined {
    return this.#options.shared.watch?.(uri, listener)
  }

  async refresh(signal: AbortSignal): Promise<void> {
    await this.#options.shared.refresh?.(signal)
  }

  onChange(listener: () => void): Disposable {
    return this.#options.shared.onChange?.(listener) ?? { dispose() {} }
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#options.shared.check(signal)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    for (const key of [...this.#byCaller.keys()]) this.#drop(key)
    await Promise.all([this.#options.shared.close(), ...this.#closings])
  }

  /** The same target, whose calls go to the caller's own connection. */
  #redirect(target: Target): Target {
    const aside = (owned: Target | undefined) => (owned === undefined ? undefined : this.#redirect(owned))
    const completion = 'completion' in target ? aside(target.completion) : undefined
    const tasks = 'tasks' in target ? aside(target.tasks) : undefined
    const run = (input: unknown, context: RunContext) => this.#run(target, input, context)
    return {
      ...target,
      run,
      ...(completion === undefined ? {} : { completion }),
      ...(tasks === undefined ? {} : { tasks }),
    } as Target
  }

  async #run(target: Target, input: unknown, context: RunContext, isLast = false): ReturnType<Tool['run']> {
    const key = JSON.stringify([context.caller.tenant, context.caller.subject])
    const own = this.#byCaller.get(key) ?? this.#add(key, context.caller)
    own.calls += 1
    try {
      const connection = await abandonOn(context.stop as StopSignal, own.opening)
      return await findSame(connection, target).run(input, context)
    } catch (thrown) {
      if (isLast || context.stop.aborted || !wasNotSent(thrown)) throw thrown
      // It has died since the caller's last call, and the next one starts where a first one would.
      this.#drop(key, own)
      return this.#run(target, input, context, true)
    } finally {
      own.calls -= 1
      own.usedMs = this.#options.clock.monotonicMs()
    }
  }

  #add(key: string, caller: Caller): Private {
    if (this.#isClosed) throw new WeirError('CONNECTION_UNAVAILABLE', 'The connection was closed.')
    this.#makeRoom(caller)
    const opening = this.#options.open(caller)
    const own: Private = { opening, calls: 0, usedMs: this.#options.clock.monotonicMs() }
    this.#byCaller.set(key, own)
    const forget = () => {
      if (this.#byCaller.get(key) === own) this.#byCaller.delete(key)
    }
    opening.then((connection) => connection.onClose?.(() => this.#drop(key, own)), forget)
    return own
  }

  #makeRoom({ subject }: Caller): void {
    const { callersMax } = this.#options
    if (this.#byCaller.size < callersMax) return
    const idlest = [...this.#byCaller]
      .filter(([, { calls }]) => calls === 0)
      .sort(([, a], [, b]) => a.usedMs - b.usedMs)[0]
    if (idlest === undefined) {
      throw new WeirError(
        'OVERLOADED',
        `${callersMax} callers use this server at once, so there is no connection for ${subject}.`,
        { hint: 'Try again later, or raise `callersMax`.', data: { sent: false } },
      )
    }
    this.#drop(idlest[0])
  }

  #drop(key: string, only?: Private): void {
    const own = this.#byCaller.get(key)
    if (own === undefined || (only !== undefined && own !== only)) return
    this.#byCaller.delete(key)
    const closing = own.opening
      .then((connection) => connection.close())
      .catch((thrown: unknown) => toWeirError(thrown))
    this.#closings.add(closing)
    void closing.then(() => this.#closings.delete(closing))
  }

  #lookLater(): void {
    const { clock } = this.#options
    this.#timer = clock.setTimer(() => {
      const beforeMs = clock.monotonicMs() - idle.maxMs
      for (const [key, { calls, usedMs }] of [...this.#byCaller]) {
        if (calls === 0 && usedMs <= beforeMs) this.#drop(key)
      }
      this.#lookLater()
    }, idle.lookEveryMs)
  }
}

/** What a caller's own connection offers under the same name; a server may offer its callers different things. */
function findSame(connection: Connection, target: Target): Tool {
  const isAside = target.kind === 'completion' || target.kind === 'task-control'
  for (const offered of connection.targets()) {
    const same = isAside ? asideOf(offered, target.kind) : offered
    // The kinds differ in their input alone, which has been checked by the shared target's schema.
    if (same?.kind === target.kind && same.name === target.name) return same as Tool
  }
  throw new WeirError(
    'CONNECTION_UNAVAILABLE',
    `The server does not offer this caller the ${target.kind} ${JSON.stringify(target.name.slice(0, 200))}.`,
    { hint: 'The server decides what each of its users may use.' },
  )
}

function asideOf(owner: Target, kind: 'completion' | 'task-control'): Target | undefined {
  if (kind === 'completion') return 'completion' in owner ? owner.completion : undefined
  return 'tasks' in owner ? owner.tasks : undefined
}
