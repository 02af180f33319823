import type { Entry } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import type { TaskStarted } from '../../../core/outcome.ts'
import type { TaskInput } from '../../../core/tool.ts'
import type { Answer, Exchange } from '../exchange.ts'
import { renderPlain, renderTask } from '../rendering/render-result.ts'
import { requireTasks } from '../require-tasks.ts'
import { findSoon } from './find-soon.ts'
import type { MethodParts } from './method-parts.ts'
import { readText } from './read-params.ts'
import { runTarget } from './run-target.ts'

/** The methods of the tasks extension, by which a client follows the tasks that its calls began at upstream servers. */
export function createTaskMethods(parts: MethodParts): Record<TaskInput['method'], Answer> {
  const handle =
    (method: TaskInput['method']): Answer =>
    (exchange) =>
      controlTask(parts, exchange, method)
  return {
    'tasks/get': handle('tasks/get'),
    'tasks/update': handle('tasks/update'),
    'tasks/cancel': handle('tasks/cancel'),
  }
}

/** A call that began a task, as its client sees it: everything as the upstream said it, under a handle of ours. */
export function renderStarted(
  { tasks, server }: MethodParts,
  { revision, caller }: Exchange,
  entry: Entry,
  { task }: TaskStarted,
): string {
  const taskId = tasks.seal({ tool: entry.id, taskId: task.taskId }, caller)
  return renderTask({ ...task, taskId }, revision, server)
}

async function controlTask(
  parts: MethodParts,
  exchange: Exchange,
  method: TaskInput['method'],
): Promise<string> {
  const { request, revision, caller, meta } = exchange
  requireTasks(meta.clientCapabilities, method)
  const { taskId: given, _meta: _, ...params } = request.params
  const handle = readText('taskId', given)
  const { tool, taskId } = parts.tasks.open(handle, caller)
  const find = () => parts.catalog.find(tool)?.tasks
  const entry = find() ?? (await findSoon(parts.catalog, find))
  if (entry === undefined) {
    throw new WeirError('INVALID_PARAMS', `${tool}, which began the task, is gone.`, {
      hint: 'Call the tool again once it is back.',
    })
  }
  const input: TaskInput = { method, taskId, params }
  return runTarget(parts, exchange, { entry, input }, (result) => {
    const renamed = result['taskId'] === undefined ? result : { ...result, taskId: handle }
    return renderPlain(renamed, revision, parts.server)
  })
}
