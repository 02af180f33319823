import type { Logger } from '../core/logger.ts'
import type { OpenTracer } from './traces.ts'

/** A tracer whose library is loaded beside the start of Weir and not before it; calls that come earlier are not recorded. */
export function deferTracer(load: () => Promise<OpenTracer>, log: Logger): OpenTracer {
  let tracer: OpenTracer | undefined
  const loading = load().then(
    (loaded) => {
      tracer = loaded
    },
    (thrown: unknown) => {
      const cause = thrown instanceof Error ? thrown.message : String(thrown)
      log.error({ event: 'traces.unavailable', cause }, 'Traces cannot be recorded.')
    },
  )
  return {
    start: (name, attributes, parent) => tracer?.start(name, attributes, parent),
    async close() {
      await loading
      await tracer?.close()
    },
  }
}
