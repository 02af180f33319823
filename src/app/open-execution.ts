import type { Config, LoadedConfig } from '../config/config.ts'
import type { Approval } from '../core/approval.ts'
import type { Executor } from '../core/call.ts'
import { systemClock } from '../core/clock.ts'
import type { Stores } from '../core/stores.ts'
import { type ApprovalDesk, createApprovalDesk } from '../execution/approvals/approval-desk.ts'
import { createAnnouncer } from '../execution/approvals/create-announcer.ts'
import { AuditWriter, type AuditWriterParts } from '../execution/audit/audit-writer.ts'
import { createExecutor } from '../execution/executor.ts'
import { createStages } from '../execution/pipeline.ts'
import { RedisLink } from '../execution/redis/redis-link.ts'
import { createPolicyResolver } from '../execution/resolve-policy.ts'
import type { AuditStageOptions } from '../execution/stages/audit.ts'
import type { Base } from './base.ts'
import { openTracer } from './open-tracer.ts'

/** What runs calls, with all that its stages write to. */
export interface Execution {
  readonly executor: Executor & { readonly inFlight: number }
  /** Where calls wait for somebody to agree. */
  readonly desk: ApprovalDesk
  /** Calls that come from now on go by these. */
  usePolicies(policies: Config['policies']): void
  /** Writes what is still to be written. */
  close(): Promise<void>
}

/** Who hears of calls that wait for approval. */
export interface OperatorParts {
  /** The operator's own credential; absent where nothing is kept. */
  readonly operatorToken: (() => Promise<string>) | undefined
  /** Told of each call that begins to wait. */
  readonly onApproval: ((approval: Approval) => void) | undefined
}

/** Builds the stages and what they need. */
export function openExecution(
  base: Base,
  { config, secrets }: LoadedConfig,
  stores: Stores,
  { operatorToken, onApproval }: OperatorParts,
): Execution {
  const { log, metrics } = base
  const clock = systemClock
  const tracer = openTracer(base, config)
  const redis = config.redis === undefined ? undefined : new RedisLink(config.redis, { clock, log })
  redis?.connect()
  const audit = createAudit(config, { store: stores.audit, clock, log })
  const { hold: holdMs, expiry: expiryMs } = config.approvals
  const onArrival = createAnnouncer(log, operatorToken, onApproval)
  const desk = createApprovalDesk({ store: stores.approvals, clock, onArrival, holdMs, expiryMs })
  const executor = createExecutor({
    stages: createStages({
      ...{ log, metrics, clock, tracer, audit, redis, desk, idempotency: stores.idempotency, holdMs },
      redact: (text) => secrets.redact(text),
    }),
    resolvePolicy: createPolicyResolver(config.policies),
  })
  return {
    executor,
    desk,
    usePolicies: (policies) => executor.usePolicies(createPolicyResolver(policies)),
    async close() {
      await audit?.writer.close()
      await tracer?.close()
      redis?.close()
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
