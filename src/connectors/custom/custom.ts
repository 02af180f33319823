import { type Clock, systemClock } from '../../core/clock.ts'
import { type Connector, defineConnector } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { adoptError } from './adopt.ts'
import { type CompileSchema, checkModuleConfig } from './check-module-config.ts'
import { type CustomConfig, customConfig } from './custom-config.ts'
import { guardConnection } from './guarded-connection.ts'
import { loadModule } from './load-module.ts'
import { logThrown, moduleError } from './module-error.ts'

/** What connections to modules are opened with. */
export interface CustomOptions {
  /** Imports a module by the URL of its file. The code runs in this process, with all that it may do. */
  readonly importModule: (url: string) => Promise<unknown>
  readonly compileSchema: CompileSchema
  readonly clock?: Clock
}

/**
 * A connector of the operator's own, from a file beside the config (D3-014 to D3-018, B-91). What is wrong with it is an
 * error of its connection, which names the module and the cure; the other connections go on.
 */
export function createCustomConnector(options: CustomOptions): Connector<CustomConfig> {
  const { importModule, compileSchema, clock = systemClock } = options
  return defineConnector({
    type: 'custom',
    summary: 'A connector of your own: a TypeScript or JavaScript module beside the config file.',
    config: customConfig,
    async open({ module, config }, context) {
      context.signal.throwIfAborted()
      const connector = await loadModule(module, context, { importModule, clock })
      const checked = await checkModuleConfig(module, connector, config, compileSchema)
      const inner = await openInner(module, context.log, () => connector.open(checked, context))
      try {
        return guardConnection(inner, { module, compileSchema, log: context.log })
      } catch (thrown) {
        await inner?.close?.().catch(() => {})
        throw thrown
      }
    },
  })
}

/** What the module says itself stands; anything else is its fault, and named so. */
async function openInner<T>(module: string, log: Logger, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (thrown) {
    const adopted = adoptError(thrown)
    if (adopted instanceof WeirError) throw adopted
    logThrown(log, module, thrown)
    const name = thrown instanceof Error ? thrown.name : 'an error'
    const hint =
      'Have `open` throw a `WeirError`, whose message and hint are shown; the log holds what it threw.'
    throw moduleError(module, `threw ${name} when it was opened`, hint, { cause: thrown })
  }
}
