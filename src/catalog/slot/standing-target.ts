import { WeirError, wasNotSent } from '../../core/error.ts'
import type { ResourceTemplate, RunContext, Target, Tool } from '../../core/tool.ts'
import { definedFields } from './target-definition.ts'
import type { Uptime } from './uptime.ts'

/** How a call comes to its connection where that is not up. */
export interface Route {
  /** The connection's name. */
  readonly name: string
  /**
   * Resolves with the connection that is up, once there is another one than `left`, which did not send the call and said
   * `why`. Rejects where none is to be expected.
   */
  reach(context: RunContext, left?: Uptime, why?: unknown): Promise<Uptime>
}

/**
 * Stands in the catalog for a target, and outlives the connection that it came from: who holds it reaches the
 * connection that is up. All targets that it stands for have the same definition.
 */
export class StandingTarget {
  /** What the catalog hands out. */
  readonly target: Target
  readonly #route: Route
  readonly #completion: StandingTarget | undefined
  readonly #tasks: StandingTarget | undefined
  #live: Target
  #uptime: Uptime | undefined

  /** Only the definition of `model` counts until it is attached. */
  constructor(model: Target, route: Route) {
    this.#live = model
    this.#route = route
    const { completion, tasks } = asidesOf(model)
    this.#completion = completion && new StandingTarget(completion, route)
    this.#tasks = tasks && new StandingTarget(tasks, route)
    const target: Record<string, unknown> = { kind: model.kind, name: model.name, input: model.input }
    for (const field of definedFields) if (field in model) target[field] = (model as never)[field]
    if (model.kind === 'resource-template')
      target['matches'] = (uri: string) => (this.#live as ResourceTemplate).matches(uri)
    if (this.#completion !== undefined) target['completion'] = this.#completion.target
    if (this.#tasks !== undefined) target['tasks'] = this.#tasks.target
    target['run'] = (input: unknown, context: RunContext) => this.#run(input, context)
    this.target = target as unknown as Target
  }

  /** The connection's own, as it was offered last. */
  get live(): Target {
    return this.#live
  }

  /** From now on calls go to this one, for as long as its connection is up. */
  attach(live: Target, uptime: Uptime): void {
    this.#live = live
    this.#uptime = uptime
    const { completion, tasks } = asidesOf(live)
    if (completion !== undefined) this.#completion?.attach(completion, uptime)
    if (tasks !== undefined) this.#tasks?.attach(tasks, uptime)
  }

  #run(input: unknown, context: RunContext): Promise<object> {
    const uptime = this.#uptime
    if (uptime === undefined || uptime.isOver) return this.#runLater(input, context)
    if (uptime.isMortal) return this.#runCounted(uptime, input, context)
    return (this.#live as Tool).run(input, context)
  }

  /** Waits for a connection, and runs on it once. */
  async #runLater(input: unknown, context: RunContext, left?: Uptime, why?: unknown): Promise<object> {
    let uptime = await this.#route.reach(context, left, why)
    // Between its coming up and this line it may have died again.
    while (uptime.isOver) uptime = await this.#route.reach(context)
    // Its arguments were checked against the old definition, so that no other one may run them.
    if (uptime !== this.#uptime) throw notOffered(this.#route.name, this.target)
    return this.#runCounted(uptime, input, context, true)
  }

  async #runCounted(uptime: Uptime, input: unknown, context: RunContext, isLast = false): Promise<object> {
    uptime.calls += 1
    uptime.underWay += 1
    try {
      const answer = await (this.#live as Tool).run(input, context)
      uptime.answers += 1
      return answer
    } catch (thrown) {
      // The server's own refusal shows it alive like any answer.
      if (thrown instanceof WeirError && thrown.code === 'UPSTREAM_ERROR') uptime.answers += 1
      if (isLast || context.stop.aborted || !wasNotSent(thrown)) throw thrown
      return this.#runLater(input, context, uptime, thrown)
    } finally {
      uptime.underWay -= 1
    }
  }
}

function asidesOf(target: Target) {
  return {
    completion: 'completion' in target ? target.completion : undefined,
    tasks: 'tasks' in target ? target.tasks : undefined,
  }
}

function notOffered(connection: string, { kind, name }: Target): WeirError {
  const message = `The connection "${connection}" came back without the ${kind} "${name}", or with another definition of it.`
  return new WeirError('CONNECTION_UNAVAILABLE', message, {
    hint: 'List again what there is, and call it as it is defined now.',
    data: { sent: false },
  })
}
