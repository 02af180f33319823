import type { LoadedConfig } from '../config/config.ts'
import { planReload, type ReloadPlan } from '../config/plan-reload.ts'
import type { Log } from '../telemetry/log.ts'

/** The configuration that is in force; one change of it at a time. */
export interface Reloading {
  readonly current: LoadedConfig
  take(next: LoadedConfig): Promise<ReloadPlan>
  /** The same for a configuration that is read when it is asked for; `isDryRun` changes nothing. */
  from(
    reread: (() => Promise<LoadedConfig>) | undefined,
  ): ((isDryRun: boolean) => Promise<ReloadPlan>) | undefined
}

/** `apply` makes the next configuration that of the running parts, in one step. */
export function createReloading(
  first: LoadedConfig,
  apply: (next: LoadedConfig, before: LoadedConfig) => Promise<void>,
): Reloading {
  let current = first
  let taking: Promise<unknown> = Promise.resolve()
  const take = async (next: LoadedConfig): Promise<ReloadPlan> => {
    const plan = planReload(current.config, next.config)
    await apply(next, current)
    current = next
    return plan
  }
  const takeNext = (next: LoadedConfig) => {
    const taken = taking.then(() => take(next))
    taking = taken.catch(() => {})
    return taken
  }
  return {
    get current() {
      return current
    },
    take: takeNext,
    from(reread) {
      if (reread === undefined) return undefined
      return async (isDryRun) => {
        const next = await reread()
        return isDryRun ? planReload(current.config, next.config) : takeNext(next)
      }
    },
  }
}

/** What calls of the configuration before may still say is kept out of the log, too. */
export function configureLog(log: Log, { config, secrets }: LoadedConfig, before?: LoadedConfig): void {
  const redact = (line: string) => secrets.redact(before === undefined ? line : before.secrets.redact(line))
  log.configure({ ...config.log, redact })
}
