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

export interface SlotParts {
  readonly clock: Clock
  readonly log: Logger
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** Called after the entries or the state changed. */
  readonly onChange: () => void
}

/** Pauses between attempts to open: doubling, with full jitter so that many gateways do not knock at once. */
const retry = { firstMs: 500, maxMs: 30_000 }

/** One connection's place in the catalog: opens it, keeps what it offers, opens it again when it dies. */
export interface ConnectionSlot {
  readonly name: string
  /** What it offers, or offered last: a connection that is down keeps its tools, which then say so when called. */
  readonly entries: readonly Entry[]
  readonly status: ConnectionStatus
  /** Resolves when the first attempt to open has ended, well or badly. */
  readonly settled: Promise<void>
  close(): Promise<void>
}

export function createConnectionSlot(source: ConnectionSource, parts: SlotParts): ConnectionSlot {
  const { clock, log, random, onChange } = parts
  const stop = new AbortController()
  let entries: readonly Entry[] = []
  let connection: Connection | undefined
  let subscriptions: Disposable[] = []
  let state: ConnectionStatus['state'] = 'starting'
  let cause: string | undefined
  let failures = 0
  let timer: Timer | undefined
  let opening: Promise<void> | undefined
  let settle: () => void = () => {}
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })

  const refresh = () => {
    entries = reuseEntries(source.name, connection?.targets() ?? [], entries)
    onChange()
  }
  const scheduleOpen = () => {
    const ceilingMs = Math.min(retry.maxMs, retry.firstMs * 2 ** Math.min(failures, 10))
    timer = clock.setTimer(() => {
      opening = open()
    }, random() * ceilingMs)
    failures += 1
  }
  const markDown = (thrown: unknown) => {
    const error = toWeirError(thrown)
    const why = error.code === 'INTERNAL' && thrown instanceof Error ? thrown.message : error.message
    if (state !== 'down' || cause !== why) {
      log.warn({ event: 'connection.down', connection: source.name, cause: why }, 'A connection is down.')
    }
    state = 'down'
    cause = why
    onChange()
  }
  const lose = (thrown: unknown) => {
    for (const subscription of subscriptions) subscription.dispose()
    subscriptions = []
    const dead = connection
    connection = undefined
    void dead?.close().catch(() => {})
    markDown(thrown)
    scheduleOpen()
  }
  const open = async () => {
    try {
      const opened = await source.open(stop.signal)
      if (stop.signal.aborted) return await opened.close()
      connection = opened
      state = 'up'
      cause = undefined
      failures = 0
      if (opened.onChange !== undefined) subscriptions.push(opened.onChange(refresh))
      if (opened.onClose !== undefined) subscriptions.push(opened.onClose(lose))
      log.info(
        { event: 'connection.up', connection: source.name, tools: opened.targets().length },
        'A connection is up.',
      )
      refresh()
    } catch (thrown) {
      if (stop.signal.aborted) return
      markDown(thrown)
      scheduleOpen()
    } finally {
      settle()
    }
  }

  opening = open()
  return {
    name: source.name,
    settled,
    get entries() {
      return entries
    },
    get status() {
      const { name, type } = source
      return { name, type, state, tools: entries.length, ...(cause === undefined ? {} : { cause }) }
    },
    async close() {
      stop.abort(new WeirError('SHUTTING_DOWN', 'Weir is stopping.'))
      timer?.cancel()
      for (const subscription of subscriptions) subscription.dispose()
      subscriptions = []
      await Promise.all([connection?.close(), opening])
    },
  }
}

/** An entry lives as long as its target, so that a chain composed for it is found again after an unrelated change. */
function reuseEntries(
  connection: string,
  targets: readonly Target[],
  known: readonly Entry[],
): readonly Entry[] {
  const byTarget = new Map(known.map((entry) => [entry.target, entry]))
  return targets.map(
    (target) =>
      byTarget.get(target) ?? Object.freeze({ id: `${connection}:${target.name}`, connection, target }),
  )
}
