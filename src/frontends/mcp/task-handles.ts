import type { Caller } from '../../core/caller.ts'
import { WeirError } from '../../core/error.ts'
import type { Seal } from '../shared/seal.ts'

/** Which task a handle stands for: the tool that began it, and the upstream's own id. */
export interface TaskReference {
  readonly tool: string
  readonly taskId: string
}

/**
 * Task ids as clients see them: sealed, so that nobody can ask about a task that another caller began, or reach an
 * upstream's task by guessing. They hold everything needed to find the task again, and so cost no memory.
 */
export interface TaskHandles {
  seal(task: TaskReference, caller: Caller): string
  /** Throws INVALID_PARAMS, the same for a forged handle and for another caller's. */
  open(handle: string, caller: Caller): TaskReference
}

/** A task lives as long as its upstream keeps it, so a handle has no end of its own. */
export function createTaskHandles(seal: Seal): TaskHandles {
  return {
    seal: ({ tool, taskId }, { tenant, subject }) => seal.seal([tool, taskId, tenant, subject]),
    open(handle, { tenant, subject }) {
      const opened = seal.open(handle)
      const [tool, taskId, ...owner] = Array.isArray(opened) ? opened : []
      if (typeof tool === 'string' && typeof taskId === 'string') {
        if (owner[0] === tenant && owner[1] === subject) return { tool, taskId }
      }
      throw new WeirError('INVALID_PARAMS', 'There is no such task.', {
        hint: 'Use the taskId as the call that began the task gave it.',
      })
    },
  }
}
