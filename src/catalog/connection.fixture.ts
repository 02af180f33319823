import { Cancellation } from '../core/cancellation.ts'
import type { Entry } from '../core/catalog.ts'
import type { Connection } from '../core/connector.ts'
import type { WeirError } from '../core/error.ts'
import { jsonSchema } from '../core/schema.ts'
import type { Target, Tool } from '../core/tool.ts'
import { createLog } from '../telemetry/log.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { type ConnectionSource, createConnectionSlot, type SlotParts } from './slot/connection-slot.ts'

/** A tool that answers with nothing, unless told otherwise. */
export function createTool(name: string, more: Partial<Tool> = {}): Tool {
  return {
    kind: 'tool',
    name,
    description: name,
    effect: 'read',
    input: jsonSchema({ type: 'object' }),
    run: async () => ({}),
    ...more,
  }
}

type Open = (signal: AbortSignal, attempt: number) => Promise<Connection>

/** A slot on a clock of its own; `random` is what full jitter draws. */
export function setUpSlot(
  open: Open,
  random = () => 1,
  more: Partial<Omit<ConnectionSource, 'open'>> & Partial<SlotParts> = {},
) {
  const { name = 'box', type = 'test', isLazy = false, idleMs, fingerprint, ...parts } = more
  const clock = createFakeClock()
  const lines: Record<string, unknown>[] = []
  const attemptsMs: number[] = []
  const notesSeen: unknown[] = []
  let changes = 0
  const source: ConnectionSource = {
    ...{ name, type, isLazy, ...(idleMs && { idleMs }), ...(fingerprint && { fingerprint }) },
    open: (signal, notes) => {
      attemptsMs.push(clock.monotonicMs())
      notesSeen.push(notes)
      return open(signal, attemptsMs.length)
    },
  }
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  const onChange = () => {
    changes += 1
  }
  const slot = createConnectionSlot(source, { clock, log, random, onChange, ...parts })
  return { clock, lines, slot, attemptsMs, notesSeen, changes: () => changes }
}

/** Opens connections one after another and keeps them. */
export function createSupply(make: () => HeldConnection = () => createConnection([createTool('one')])) {
  const made: HeldConnection[] = []
  const open: Open = async () => {
    const connection = make()
    made.push(connection)
    return connection
  }
  return { made, open }
}

/** Calls what an entry stands for, as the executor does. How it ended is there to be looked at. */
export function call(entry: Entry | undefined, input: unknown = {}) {
  const stop = new Cancellation()
  const context = {
    ...{ stop, signal: stop.signal, deadlineMs: Number.POSITIVE_INFINITY, wantsProgress: false },
    ...{ caller: { subject: 'test', tenant: 'test' }, emit: () => {} },
  }
  const called: { result?: unknown; error?: WeirError; readonly stop: Cancellation } = { stop }
  const run = (entry?.target as Tool).run as (...call: unknown[]) => Promise<object>
  void run(input, context).then(
    (result) => {
      called.result = result
    },
    (error: WeirError) => {
      called.error = error
    },
  )
  return called
}

/** A connection whose tools and death a test decides. It counts what is asked of it. */
export interface HeldConnection extends Connection {
  offer(targets: readonly Target[]): void
  die(cause: Error): void
  /** Listeners that were given and not taken back. */
  readonly listeners: number
  readonly closes: number
}

export function createConnection(targets: readonly Target[], more: Partial<Connection> = {}): HeldConnection {
  let offered = targets
  let closes = 0
  const changes = new Set<() => void>()
  const deaths = new Set<(cause: Error) => void>()
  const follow = <T>(listeners: Set<T>, listener: T) => {
    listeners.add(listener)
    return { dispose: () => void listeners.delete(listener) }
  }
  return {
    targets: () => offered,
    onChange: (listener) => follow(changes, listener),
    onClose: (listener) => follow(deaths, listener),
    check: async () => {},
    close: async () => {
      closes += 1
    },
    ...more,
    offer(now) {
      offered = now
      for (const listener of [...changes]) listener()
    },
    die(cause) {
      for (const listener of [...deaths]) listener(cause)
    },
    get listeners() {
      return changes.size + deaths.size
    },
    get closes() {
      return closes
    },
  }
}
