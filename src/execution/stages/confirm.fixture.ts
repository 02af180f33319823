import { vi } from 'vitest'
import type { Approval, Verdict } from '../../core/approval.ts'
import type { Call } from '../../core/call.ts'
import { type Caller, everything } from '../../core/caller.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Policy } from '../../core/policy.ts'
import type { Stores } from '../../core/stores.ts'
import type { Tool } from '../../core/tool.ts'
import { openStore } from '../../store/open-store.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { type ApprovalDesk, createApprovalDesk } from '../approvals/approval-desk.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createExecutor } from '../executor.ts'
import { createStages } from '../pipeline.ts'
import { silentLog } from '../silent-log.fixture.ts'

export const holdMs = 55_000
export const hourMs = 60 * 60_000
export const ada: Caller = { subject: 'local:ada', tenant: 'default', grants: everything }
const operator = { tenant: '', subject: 'operator:grace' }
export const yes: Verdict = { decision: 'approved', by: operator }
export const no: Verdict = { decision: 'denied', by: operator, reason: 'Not today.' }

/** A gateway's chain around one tool that notes its effects, over a real store. */
export async function createGuarded(
  options: {
    readonly tool?: Partial<Tool>
    readonly policy?: Partial<Policy>
    readonly damage?: (stores: Stores) => Partial<Stores>
  } = {},
) {
  const clock = createFakeClock()
  // The store's own patience is not what is tested: it has the time of day of the test, and real timers.
  const storeClock = { ...systemClock, now: clock.now }
  const opened = await openStore({
    url: 'sqlite::memory:',
    baseDir: '.',
    log: silentLogger,
    clock: storeClock,
  })
  const stores: Stores = { ...opened, ...options.damage?.(opened) }
  const effects: unknown[] = []
  const arrivals: Approval[] = []
  const entry = createEntry({
    effect: 'write',
    async run(input) {
      effects.push(input)
      return { structuredContent: { number: effects.length } }
    },
    ...options.tool,
  })
  const startDesk = () =>
    createApprovalDesk({
      ...{ store: stores.approvals, clock, holdMs, expiryMs: hourMs },
      onArrival: (approval) => arrivals.push(approval),
    })
  const startExecutor = (own: ApprovalDesk) => buildExecutor(own, stores, clock, options.policy)
  let desk = startDesk()
  let executor = startExecutor(desk)

  /** Begins a call; `outcome` is what it came to so far. */
  const start = (input: object = { to: 'bob' }, more: Partial<Call> = {}) => {
    const state: { outcome?: Outcome } = {}
    const cancellation = new Cancellation()
    const ended = executor
      .execute(createCall(entry, { caller: ada, input, cancellation, ...more }))
      .then((outcome) => {
        state.outcome = outcome
        return outcome
      })
    return { state, ended, cancellation }
  }
  return {
    ...{ clock, stores, effects, arrivals, entry, start },
    get desk() {
      return desk
    },
    waiting: () => waitForRequest(stores),
    /** What a new process finds: the store alone. */
    restart() {
      desk.close()
      desk = startDesk()
      executor = startExecutor(desk)
    },
  }
}

function buildExecutor(desk: ApprovalDesk, { idempotency }: Stores, clock: Clock, own?: Partial<Policy>) {
  const redact = (text: string) => text.replaceAll('canary', '***')
  const parts = { log: silentLog, metrics: createMetrics(), clock, desk, holdMs, idempotency, redact }
  return createExecutor({
    stages: createStages(parts),
    resolvePolicy: () => ({ ...policy, confirm: 'operator', ...own }),
  })
}

/** The newest request that waits, whose call is held by now. */
async function waitForRequest({ approvals }: Stores): Promise<Approval> {
  const found = await vi.waitFor(async () => {
    const [approval] = await approvals.list('pending')
    if (approval === undefined) throw new Error('nothing waits')
    return approval
  })
  // Its call has yet to hear that the request is durable.
  await new Promise((resolve) => setImmediate(resolve))
  return found
}
