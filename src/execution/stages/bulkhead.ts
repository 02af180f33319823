import type { Call, Run } from '../../core/call.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { Stage } from '../../core/policy.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { Compartment } from '../compartment.ts'
import { createPerConnection } from '../per-connection.ts'

/** A tool that does not heed that its call was stopped keeps its place for so long, and then is not counted any more. */
const graceMs = 10_000
/** Rules that differ within one connection. */
const rulesMax = 64

/**
 * Keeps a connection that hangs from taking everything (R10): so many of its calls run, so many wait, and further ones
 * are refused at once. Tools of a connection that have the same limits share them. What ends a task passes: it is what
 * frees a place.
 */
export function createBulkheadStage(parts: { readonly clock: Clock; readonly metrics: Metrics }): Stage {
  const { clock, metrics } = parts
  const compartments = createPerConnection(() => new Map<string, Compartment>())
  const show = (name: string, help: string, read: (one: Compartment) => number) =>
    metrics.collect(name, help, 'gauge', () =>
      [...compartments.entries()].map(([connection, own]) => ({
        labels: { connection },
        value: [...own.values()].reduce((sum, one) => sum + read(one), 0),
      })),
    )
  show('weir_bulkhead_running', 'Calls of a connection that run.', ({ running }) => running)
  show('weir_bulkhead_waiting', 'Calls of a connection that wait for their turn.', ({ waiting }) => waiting)
  return {
    name: 'bulkhead',
    wrap({ connection, target }, { bulkhead: rule }, next) {
      if (rule === undefined || target.kind === 'task-control') return next
      const own = compartments.of(connection)
      const key = `${rule.runningMax}/${rule.waitingMax}`
      let compartment = own.get(key)
      if (compartment === undefined) {
        if (own.size >= rulesMax) own.delete(own.keys().next().value!)
        compartment = new Compartment(connection, rule)
        own.set(key, compartment)
      }
      return enterEach(compartment, clock, next)
    },
  }
}

function enterEach(compartment: Compartment, clock: Clock, next: Run): Run {
  const run = (call: Call) => {
    const stay = new Stay(compartment, call, clock)
    return next(call).then(
      (outcome) => stay.end(outcome),
      (thrown) => {
        stay.leave()
        throw thrown
      },
    )
  }
  return (call) => (compartment.tryEnter() ? run(call) : compartment.wait(call).then(() => run(call)))
}

/** One call that runs. */
class Stay {
  readonly #compartment: Compartment
  readonly #call: Call
  readonly #clock: Clock
  #grace: Timer | undefined
  #isOver = false

  constructor(compartment: Compartment, call: Call, clock: Clock) {
    this.#compartment = compartment
    this.#call = call
    this.#clock = clock
    call.cancellation.addEventListener('abort', this)
  }

  handleEvent(): void {
    this.#grace = this.#clock.setTimer(() => this.leave(), graceMs)
  }

  end(outcome: Outcome): Outcome {
    this.leave()
    return outcome
  }

  leave(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#grace?.cancel()
    this.#call.cancellation.removeEventListener('abort', this)
    this.#compartment.leave()
  }
}
