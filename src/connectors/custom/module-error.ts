import { WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'

/** A fault of a module or its configuration, for the operator, who named it in the config as it is named here. */
export function moduleError(
  module: string,
  what: string,
  hint: string,
  more: { readonly cause?: unknown; readonly data?: Readonly<Record<string, unknown>> } = {},
): WeirError {
  return new WeirError('CONFIG_INVALID', `The module ${module} ${what}.`, {
    hint,
    data: { module, ...more.data },
    cause: more.cause,
  })
}

/** What a module's code threw may hold anything, so that only the log gets it, which redacts. */
export function logThrown(log: Logger, module: string, thrown: unknown): void {
  const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  log.error({ event: 'module.failed', module, error }, 'A module failed.')
}
