import type { Executor } from '../../../core/call.ts'
import type { Catalog } from '../../../core/catalog.ts'
import type { Implementation } from '../../../wire/model.ts'
import type { RequestStates } from '../request-state.ts'
import type { Subscriptions } from '../subscriptions/subscriptions.ts'
import type { TaskHandles } from '../task-handles.ts'

/** What the methods are built from. */
export interface MethodParts {
  readonly catalog: Catalog
  readonly executor: Executor
  readonly states: RequestStates
  readonly subscriptions: Subscriptions
  readonly tasks: TaskHandles
  /** Who Weir says it is. The same object always: rendered members are kept by it. */
  readonly server: Implementation
  readonly instructions: string
}

/** How long a list or a name waits for connections that are still starting (R6). */
export const settleMaxMs = 2_000

/** Lists are cheap to ask for again, and change notifications are the better signal. */
export const listTtlMs = 5_000
