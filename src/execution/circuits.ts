import type { Clock } from '../core/clock.ts'
import type { BreakerRule } from '../core/policy.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { Circuit, type CircuitReport, type CircuitState } from './circuit.ts'

/** The circuits of a gateway, by target id. */
export interface Circuits {
  /** The one circuit of this id, which a changed definition of the target keeps. Who uses it holds it. */
  of(id: string, rule: BreakerRule): Circuit
  /** `get_state` of every circuit that is in use or in trouble (D2-054), by name. */
  report(): readonly CircuitReport[]
}

/** Circuits that are not closed are kept even where nothing uses them, because their target may come back. */
const kept = { max: 1_000, idleMs: 600_000 }
/** Names of circuits that are gone are dropped when there are more names than this, and twice as many as were left then. */
const sweepMin = 1_024

const stateValues: Readonly<Record<CircuitState, number>> = { closed: 0, half_open: 1, open: 2 }

/**
 * A definition that changes gets a new chain, and must not get a new circuit with it; a target that is gone must leave
 * nothing. So the chains hold the circuits, this holds them weakly, and those in trouble for a while longer.
 */
export function createCircuits(parts: {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}): Circuits {
  const { clock, log, metrics } = parts
  const known = new Map<string, WeakRef<Circuit>>()
  const troubled = new Map<string, Circuit>()
  let sweepAt = sweepMin

  const keepTroubled = (circuit: Circuit) => {
    troubled.delete(circuit.name)
    if (circuit.state === 'closed') return
    troubled.set(circuit.name, circuit)
    if (troubled.size > kept.max) troubled.delete(troubled.keys().next().value!)
  }
  const onTransition = (circuit: Circuit, from: CircuitState) => {
    keepTroubled(circuit)
    const { name, state } = circuit
    metrics.counter('weir_circuit_breaker_transitions_total', 'Changes of circuit breakers.', {
      tool: name,
      to: state,
    }).value += 1
    logTransition(log, circuit, from)
  }
  const sweep = () => {
    for (const [id, ref] of known) if (ref.deref() === undefined) known.delete(id)
    sweepAt = Math.max(sweepMin, 2 * known.size)
  }
  const list = (): Circuit[] => {
    for (const [id, circuit] of troubled)
      if (clock.monotonicMs() - circuit.touchedMs > kept.idleMs) troubled.delete(id)
    return [...known.values()].map((ref) => ref.deref()).filter((circuit) => circuit !== undefined)
  }
  metrics.collect(
    'weir_circuit_breaker_state',
    'Circuit breakers: 0 closed, 1 half-open, 2 open.',
    'gauge',
    () => list().map(({ name, state }) => ({ labels: { tool: name }, value: stateValues[state] })),
  )
  return {
    of(id, rule) {
      const found = known.get(id)?.deref()
      if (found !== undefined) {
        found.rule = rule
        return found
      }
      if (known.size >= sweepAt) sweep()
      const circuit = new Circuit(id, rule, clock, onTransition)
      known.set(id, new WeakRef(circuit))
      return circuit
    },
    report: () =>
      list()
        .map((circuit) => circuit.report())
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

/** The document's names of events (D2-055). */
function logTransition(log: Log, circuit: Circuit, from: CircuitState): void {
  const fields = { tool: circuit.name, ...circuit.report() }
  if (circuit.state === 'half_open') {
    log.info({ event: 'circuit_breaker_half_open', ...fields }, 'One call may try.')
  } else if (circuit.state === 'closed') {
    log.info({ event: 'circuit_breaker_closed', ...fields }, 'The tool works again.')
  } else if (from === 'half_open') {
    log.warn({ event: 'circuit_breaker_reopened', ...fields }, 'The tool still fails.')
  } else {
    log.warn({ event: 'circuit_breaker_opened', ...fields }, 'The tool fails and is left alone.')
  }
}
