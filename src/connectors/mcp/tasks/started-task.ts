import { WeirError } from '../../../core/error.ts'
import { TaskStarted } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import { stripProtocolMeta, tasksExtension } from '../../../wire/model.ts'
import { protocolError } from '../upstream-error.ts'

/** The id travels in a header, sealed together with other things, and headers are short. */
const taskIdCharsMax = 1_000

/** The task that a server answered a call with. Throws UPSTREAM_PROTOCOL where nobody could follow it. */
export function readStarted({ resultType: _, _meta, ...task }: Record<string, unknown>): TaskStarted {
  const meta = stripProtocolMeta(_meta)
  return new TaskStarted({
    ...task,
    taskId: readTaskId(task),
    ...(meta === undefined ? {} : { _meta: meta }),
  })
}

/** The task's id. Throws UPSTREAM_PROTOCOL where it has none that can be used. */
export function readTaskId({ taskId }: Readonly<Record<string, unknown>>): string {
  if (typeof taskId === 'string' && taskId !== '' && taskId.length <= taskIdCharsMax) return taskId
  throw protocolError(`The MCP server began a task whose id is no text of 1 to ${taskIdCharsMax} characters.`)
}

/** Whether a modern server refused a call because it runs it only for a client that follows tasks. */
export function wantsTasks(error: unknown): boolean {
  if (!(error instanceof WeirError) || error.code !== 'MISSING_CAPABILITY') return false
  const required = error.data?.['requiredCapabilities']
  const extensions = isObject(required) ? required['extensions'] : undefined
  return isObject(extensions) && tasksExtension in extensions
}
