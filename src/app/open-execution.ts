import type { Config, LoadedConfig } from '../config/config.ts'
import type { Executor } from '../core/call.ts'
import { systemClock } from '../core/clock.ts'
import type { Stores } from '../core/stores.ts'
import { AuditWriter, type AuditWriterParts } from '../execution/audit/audit-writer.ts'
import { createExecutor } from '../execution/executor.ts'
import { createStages } from '../execution/pipeline.ts'
import { createPolicyResolver } from '../execution/resolve-policy.ts'
import type { AuditStageOptions } from '../execution/stages/audit.ts'
import type { Base } from './base.ts'
import { openTracer } from './open-tracer.ts'

/** What runs calls, with all that its stages write to. */
export interface Execution {
  readonly executor: Executor & { readonly inFlight: number }
  /** Calls that come from now on go by these. */
  usePolicies(policies: Config['policies']): void
  /** Writes what is still to be written. */
  close(): Promise<void>
}

/** Builds the stages and what they need. */
export function openExecution(base: Base, { config }: LoadedConfig, stores: Stores): Execution {
  const { log, metrics } = base
  const clock = systemClock
  const tracer = openTracer(base, config)
  const audit = createAudit(config, { store: stores.audit, clock, log })
  const executor = createExecutor({
    stages: createStages({ log, metrics, clock, tracer, audit }),
    resolvePolicy: createPolicyResolver(config.policies),
  })
  return {
    executor,
    usePolicies: (policies) => executor.usePolicies(createPolicyResolver(policies)),
    async close() {
      await audit?.writer.close()
      await tracer?.close()
    },
  }
}

function createAudit(
  { audit: { enabled, reads } }: Config,
  parts: AuditWriterParts,
): AuditStageOptions | undefined {
  if (!enabled) return undefined
  return { writer: new AuditWriter(parts), clock: parts.clock, reads }
}
