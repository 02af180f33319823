import type { Call, Executor, Run } from '../core/call.ts'
import type { Cancellation, StopSignal } from '../core/cancellation.ts'
import type { Entry } from '../core/catalog.ts'
import { toWeirError } from '../core/error.ts'
import type { CallEvent } from '../core/event.ts'
import { type InputAnswers, InputRequired, type Outcome, TaskStarted } from '../core/outcome.ts'
import { isObject } from '../core/parse-json.ts'
import type { Policy, Stage } from '../core/policy.ts'
import type { RunContext, Tool } from '../core/tool.ts'
import type { Span } from '../core/trace.ts'
import { composeStages } from './pipeline.ts'

/** What a call passes, and what decides how. */
export interface ExecutorParts {
  /** Outermost first. */
  readonly stages: readonly Stage[]
  readonly resolvePolicy: (entry: Entry) => Policy
}

/** An executor whose policies can be replaced while calls are under way. */
export interface PolicyExecutor extends Executor {
  /** Calls that come from now on go by these; those under way end by the policies that they began with (R14). */
  usePolicies(resolvePolicy: ExecutorParts['resolvePolicy']): void
  /** Calls that it runs, those that wait for anything included. */
  readonly inFlight: number
}

/** Composes a target's chain when it is first called and keeps it for as long as the target and the policies live. */
export function createExecutor({ stages, ...parts }: ExecutorParts): PolicyExecutor {
  let { resolvePolicy } = parts
  let chains = new WeakMap<Entry, Run>()
  const chainOf = (entry: Entry): Run => {
    let chain = chains.get(entry)
    if (chain === undefined) {
      chain = composeStages(stages, entry, resolvePolicy(entry), runTarget)
      chains.set(entry, chain)
    }
    return chain
  }
  let inFlight = 0
  return {
    get inFlight() {
      return inFlight
    },
    usePolicies(next) {
      resolvePolicy = next
      chains = new WeakMap()
    },
    async execute(call) {
      inFlight += 1
      try {
        return await chainOf(call.entry)(call)
      } catch (thrown) {
        // Whatever a tool throws once it was told to stop, the reason why it was told is the truth.
        return { kind: 'failed', error: call.cancellation.reason ?? toWeirError(thrown) }
      } finally {
        inFlight -= 1
      }
    },
  }
}

/** The innermost link: the tool itself. Async, so that a tool that throws at once rejects like any other. */
async function runTarget(call: Call): Promise<Outcome> {
  if (call.cancellation.reason !== undefined) throw call.cancellation.reason
  call.cancellation.isDispatched = true
  // The kinds differ in their input alone, which the chain has checked by the target's own schema.
  const target = call.entry.target as Tool
  call.onDispatch?.()
  const answer: unknown = await target.run(call.input, new CallContext(call))
  // A connector in plain JavaScript may forget to answer; every stage may rely on a result.
  if (!isObject(answer)) throw new TypeError(`${call.entry.id} answered with no result`)
  if (answer instanceof InputRequired) return { kind: 'input-required', required: answer }
  if (answer instanceof TaskStarted) return { kind: 'task', started: answer }
  return { kind: 'complete', result: answer }
}

/** What the tool sees of its call. A class, so that the signal behind the getter costs nothing until it is read. */
class CallContext implements RunContext {
  readonly #cancellation: Cancellation
  readonly #emit: ((event: CallEvent) => void) | undefined
  readonly caller: RunContext['caller']
  readonly wantsProgress: boolean
  declare readonly meta?: Readonly<Record<string, unknown>>
  declare readonly clientCapabilities?: Readonly<Record<string, unknown>>
  declare readonly logLevel?: string
  declare readonly answers?: InputAnswers
  declare readonly span?: Span

  constructor(call: Call) {
    this.#cancellation = call.cancellation
    this.#emit = call.emit
    this.caller = call.caller
    this.wantsProgress = call.wantsProgress === true
    if (call.meta !== undefined) this.meta = call.meta
    if (call.clientCapabilities !== undefined) this.clientCapabilities = call.clientCapabilities
    if (call.logLevel !== undefined) this.logLevel = call.logLevel
    if (call.answers !== undefined) this.answers = call.answers
    if (call.span !== undefined) this.span = call.span
  }

  get stop(): StopSignal {
    return this.#cancellation
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal
  }

  get deadlineMs(): number {
    return this.#cancellation.deadlineMs
  }

  emit(event: CallEvent): void {
    this.#emit?.(event)
  }
}
