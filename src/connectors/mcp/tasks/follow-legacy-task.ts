import { isObject } from '../../../core/parse-json.ts'
import type { Client, ConverseOptions } from '../client.ts'
import { upstreamCode } from '../upstream-error.ts'
import { abandonTask } from './abandon-task.ts'
import { readTaskId } from './started-task.ts'

/**
 * Waits for the task that a legacy server made of a call, as long as the call lasts: `tasks/result` is answered when the
 * task has ended, and what the server asks until then are the call's own questions.
 */
export function followLegacyTask(client: Client): NonNullable<ConverseOptions['follow']> {
  return async (begun, request) => {
    const { task } = begun
    // A server that makes no task of the call answers it like any other.
    if (!isObject(task)) return begun
    const taskId = readTaskId(task)
    try {
      return await request('tasks/result', { taskId })
    } catch (error) {
      // An error of the server is what the task ended with.
      if (upstreamCode(error) === undefined && mayCancel(client)) abandonTask(client, taskId)
      throw error
    }
  }
}

function mayCancel({ capabilities }: Client): boolean {
  const { tasks } = capabilities
  return isObject(tasks) && tasks['cancel'] !== undefined
}
