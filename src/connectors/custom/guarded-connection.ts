import type { Connection } from '../../core/connector.ts'
import type { Logger } from '../../core/logger.ts'
import type { RunContext, Target, Tool } from '../../core/tool.ts'
import { adoptAnswer, adoptError } from './adopt.ts'
import type { CompileSchema } from './check-module-config.ts'
import { moduleError } from './module-error.ts'
import { sortTargets } from './sort-targets.ts'

/** What a connection of a module is looked after with. */
export interface GuardParts {
  readonly module: string
  readonly compileSchema: CompileSchema
  readonly log: Logger
}

const cure = 'Mend it in the module; `describeConnector` of `weir/testing` finds this and more.'

/**
 * Stands before a connection that somebody else wrote, and keeps what they might not: targets are checked before they
 * are served, a check ends when it is aborted, and it is closed once. Throws CONFIG_INVALID where what it offers at first
 * cannot be served; later a fault takes one target away, and not all.
 */
export function guardConnection(inner: Connection, parts: GuardParts): Connection {
  const { module, compileSchema, log } = parts
  let offered = readTargets(inner, module)
  const { served, faults } = sortTargets(offered, compileSchema)
  if (faults[0] !== undefined) throw moduleError(module, faults[0], cure)
  let shown: readonly Target[] = served.map(guardTarget)

  function targets(): readonly Target[] {
    const now = inner.targets()
    if (isSameList(now, offered)) return shown
    offered = now
    const sorted = sortTargets(now, compileSchema)
    for (const cause of sorted.faults)
      log.error({ event: 'module.target-left-out', module, cause }, 'A target of a module is left out.')
    shown = sorted.served.map(guardTarget)
    return shown
  }

  let closing: Promise<void> | undefined
  return {
    targets,
    check: (signal) => untilAborted(() => inner.check(signal), signal),
    close() {
      closing ??= callAsync(() => inner.close())
      return closing
    },
    ...(inner.notes && { notes: () => inner.notes!() }),
    ...(inner.watch && { watch: (uri, listener) => inner.watch!(uri, listener) }),
    ...(inner.refresh && { refresh: (signal) => untilAborted(() => inner.refresh!(signal), signal) }),
    ...(inner.onChange && { onChange: (listener) => inner.onChange!(listener) }),
    ...(inner.onClose && { onClose: (listener) => inner.onClose!(listener) }),
  }
}

function readTargets(inner: Connection, module: string): readonly Target[] {
  const lacking = (['targets', 'check', 'close'] as const).filter(
    (name) => typeof inner?.[name] !== 'function',
  )
  const hint = '`open` must resolve with an object that has `targets`, `check` and `close`.'
  if (lacking.length > 0)
    throw moduleError(module, `opens no connection: it lacks ${lacking.join(', ')}`, hint)
  const targets: unknown = inner.targets()
  if (Array.isArray(targets)) return targets
  throw moduleError(module, 'offers no list of targets', '`targets` must answer with an array.')
}

/** A list that is made anew each time is the same as long as the same targets are in it. */
function isSameList(a: readonly Target[], b: readonly Target[]): boolean {
  return a === b || (a.length === b.length && a.every((target, index) => target === b[index]))
}

function guardTarget(target: Target): Target {
  const { name, completion } = target as Target & { completion?: Target }
  return {
    ...target,
    ...(completion === undefined ? {} : { completion: guardTarget(completion) }),
    async run(input: unknown, context: RunContext) {
      try {
        return adoptAnswer(await (target as Tool).run(input, context), name)
      } catch (thrown) {
        throw adoptError(thrown)
      }
    },
  } as Target
}

async function callAsync<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (thrown) {
    throw adoptError(thrown)
  }
}

/** Ends with the signal, whether or not what runs listens to it. */
function untilAborted(run: () => Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    callAsync(run)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}
