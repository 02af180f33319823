import type { Call } from '../../core/call.ts'
import type { Entry } from '../../core/catalog.ts'
import type { Clock } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import { faultOf, type Outcome } from '../../core/outcome.ts'
import type { Stage } from '../../core/policy.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Circuit, Pass } from '../circuit.ts'
import type { Circuits } from '../circuits.ts'
import { isBreak, judgeFailure } from '../judge-failure.ts'

/**
 * Leaves a target alone that fails again and again (R8). Completions and task requests pass: they go under another
 * target's id, and whoever ends a task must be able to.
 */
export function createCircuitBreakerStage(parts: {
  readonly circuits: Circuits
  readonly clock: Clock
  readonly log: Log
}): Stage {
  const { circuits, clock, log } = parts
  return {
    name: 'circuit-breaker',
    wrap(entry, { breaker, timeoutMs }, next) {
      const { kind } = entry.target
      if (breaker === undefined || kind === 'completion' || kind === 'task-control') return next
      // A caller that allows a call one millisecond must not open the circuit for everybody.
      const patienceMs = timeoutMs / 2
      const guardOf = createGuards(entry, (name) => new Guard(circuits.of(name, breaker), log))
      return (call) => {
        const guard = guardOf(call.input)
        const pass = guard.circuit.enter()
        if (pass === undefined) return Promise.reject(guard.refuse())
        const attempt = new Attempt(guard.circuit, pass, call, clock, patienceMs)
        return next(call).then(
          (outcome) => attempt.end(outcome),
          (thrown) => {
            attempt.fail(thrown)
            throw thrown
          },
        )
      }
    },
  }
}

/** One for the target and, where its input names one of several systems, one for each: `api:http_request/payments`. */
function createGuards(
  { id, target: { systems } }: Entry,
  create: (name: string) => Guard,
): (input: unknown) => Guard {
  const own = create(id)
  if (systems === undefined || systems.names.length < 2) return () => own
  const { field, names } = systems
  const each = new Map<unknown, Guard>(names.map((name) => [name, create(`${id}/${name}`)]))
  // A name that is not configured is refused by the tool, and says nothing of any system.
  return (input) => each.get((input as Readonly<Record<string, unknown>>)[field]) ?? own
}

/** One call that was let through. It listens for the call's being stopped, as a tool that hangs may never end it. */
class Attempt {
  readonly #circuit: Circuit
  readonly #pass: Pass
  readonly #call: Call
  readonly #clock: Clock
  readonly #patienceMs: number
  readonly #startMs: number
  #isOver = false

  constructor(circuit: Circuit, pass: Pass, call: Call, clock: Clock, patienceMs: number) {
    this.#circuit = circuit
    this.#pass = pass
    this.#call = call
    this.#clock = clock
    this.#patienceMs = patienceMs
    this.#startMs = clock.monotonicMs()
    call.cancellation.addEventListener('abort', this)
  }

  end(outcome: Outcome): Outcome {
    const fault = outcome.kind === 'complete' ? faultOf(outcome.result) : undefined
    if (outcome.kind === 'failed') this.fail(outcome.error)
    else if (fault !== undefined) this.fail(fault)
    else if (this.#leave()) this.#circuit.succeed(this.#pass)
    return outcome
  }

  fail(thrown: unknown): void {
    const { reason } = this.#call.cancellation
    if (reason !== undefined) this.handleEvent()
    if (!this.#leave()) return
    const error = toWeirError(thrown)
    const judgement = error.code === 'DEADLINE_EXCEEDED' ? this.#judgeTime() : judgeFailure(error)
    if (judgement === 'fault') this.#circuit.fail(this.#pass, isBreak(error))
    else if (judgement === 'answer') this.#circuit.succeed(this.#pass)
    else this.#circuit.release(this.#pass)
  }

  /** The call was stopped: by its caller, which says nothing of the target, or because its time was over. */
  handleEvent(): void {
    if (!this.#leave()) return
    const { reason, isDispatched } = this.#call.cancellation
    const isTooLate = reason?.code === 'DEADLINE_EXCEEDED' || reason?.code === 'OUTCOME_UNKNOWN'
    if (isTooLate && isDispatched && this.#judgeTime() === 'fault') this.#circuit.fail(this.#pass)
    else this.#circuit.release(this.#pass)
  }

  #judgeTime(): 'fault' | 'neither' {
    return this.#clock.monotonicMs() - this.#startMs >= this.#patienceMs ? 'fault' : 'neither'
  }

  /** Once. */
  #leave(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#call.cancellation.removeEventListener('abort', this)
    return true
  }
}

/** A circuit, and its refusals. The log hears of the first after each change; every further one is a failed call's own line. */
class Guard {
  readonly circuit: Circuit
  readonly #log: Log
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(circuit: Circuit, log: Log) {
    this.circuit = circuit
    this.#log = log
  }

  refuse(): WeirError {
    const { name, retryAfterMs, touchedMs } = this.circuit
    if (this.#toldMs !== touchedMs) {
      this.#toldMs = touchedMs
      this.#log.info(
        { event: 'circuit_breaker_open', tool: name, retryAfterMs },
        'Calls are refused for now.',
      )
    }
    return new WeirError('CIRCUIT_OPEN', `${name} failed too often in a row and is left alone for now.`, {
      hint: `Try again in ${Math.ceil(retryAfterMs / 1_000)} s, or do without it.`,
      data: { retryAfterMs, sent: false },
    })
  }
}
