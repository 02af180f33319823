import { isObject } from '../../../core/parse-json.ts'

/** Which task a call goes on with, and which of the task's questions have been answered. */
export interface TaskState {
  readonly taskId: string
  readonly answered: readonly string[]
}

/** Tells the state of a task that Weir follows from a `requestState`, which is the server's own. */
const prefix = 'weir-task:'
/** No server may ask again what it was told it has; only the newest answers can still be on their way into its task. */
const answeredMax = 64

/** Whether a call with this state goes on with a task. */
export function isTaskState(state: string | undefined): state is string {
  return state?.startsWith(prefix) === true
}

/** The state as text. Frontends seal it, so it comes back as it was. */
export function renderTaskState({ taskId, answered }: TaskState): string {
  return prefix + JSON.stringify({ taskId, answered: answered.slice(-answeredMax) })
}

/** The state behind the text. */
export function readTaskState(text: string): TaskState {
  const state: unknown = JSON.parse(text.slice(prefix.length))
  if (!isObject(state)) throw new TypeError('The state of a task is no object')
  return state as unknown as TaskState
}
