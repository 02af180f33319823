import {
  type Answer,
  type ContentBlock,
  InputRequired,
  type Result,
  TaskStarted,
} from '../../core/outcome.ts'
import { isObject } from '../../core/parse-json.ts'
import type { RunContext } from '../../core/tool.ts'
import type { ParamHeader } from '../../wire/headers.ts'
import { type Capabilities, hasExtension, tasksExtension, withExtension } from '../../wire/model.ts'
import { parseAnswer, send, silenceOf, withAnswers } from './ask.ts'
import type { Client } from './client.ts'
import type { Answered } from './questions/conversation.ts'
import { followLegacyTask } from './tasks/follow-legacy-task.ts'
import { followTask } from './tasks/follow-task.ts'
import { readStarted, wantsTasks } from './tasks/started-task.ts'
import { isTaskState, readTaskState } from './tasks/task-state.ts'
import { protocolError } from './upstream-error.ts'

/** What a call needs to know of its tool. */
export interface CallTarget {
  readonly name: string
  /** Parameters that travel in headers too; none unless the server is modern and behind HTTP. */
  readonly paramHeaders: readonly ParamHeader[]
  /** Whether its server, a legacy one, runs it only as a task. */
  readonly needsTask: boolean
}

/** How long a legacy server shall keep a task beyond the time limit of its call, which its questions do not use up. */
const taskReserveMs = 60 * 60_000

/** Calls a tool of the upstream server. The arguments go out as they came. */
export async function callTool(
  client: Client,
  { name, paramHeaders, needsTask }: CallTarget,
  input: unknown,
  context: RunContext,
): Promise<Answer> {
  const plain = { name, arguments: input }
  if (needsTask) {
    const params = { ...plain, task: { ttl: silenceOf(context) + taskReserveMs } }
    return readAnswer(await send(client, 'tools/call', params, context, { follow: followLegacyTask(client) }))
  }
  const state = context.answers?.resume
  if (client.hasTasks && isTaskState(state))
    return followTask(client, readTaskState(state), context, checkContent)
  const params = withAnswers(client, plain, context)
  const call = (capabilities?: Capabilities) =>
    send(client, 'tools/call', params, context, { paramHeaders, capabilities })
  return client.hasTasks ? callWithTasks(client, call, context) : readAnswer(await call())
}

/** A client that follows tasks gets the task; for any other the server need not begin one, and Weir follows where it must. */
async function callWithTasks(
  client: Client,
  call: (capabilities?: Capabilities) => Promise<Answered>,
  context: RunContext,
): Promise<Answer> {
  const { clientCapabilities } = context
  if (hasExtension(clientCapabilities, tasksExtension))
    return readAnswer(await call(clientCapabilities), true)
  try {
    return readAnswer(await call())
  } catch (error) {
    if (!wantsTasks(error)) throw error
  }
  // The server refused the call for want of the capability, and so has not run it.
  const answer = readAnswer(await call(withExtension(clientCapabilities, tasksExtension)), true)
  if (!(answer instanceof TaskStarted)) return answer
  const { task } = answer
  return followTask(client, { taskId: task.taskId, answered: [] }, context, checkContent, task)
}

function readAnswer(answered: Answered, mayBeTask = false): Answer {
  if (answered instanceof InputRequired) return answered
  if (mayBeTask && answered['resultType'] === 'task') return readStarted(answered)
  const answer = parseAnswer(answered, checkContent)
  if (answer instanceof InputRequired && isTaskState(answer.resume))
    throw protocolError('The MCP server’s requestState looks like the state of a task that it never began.')
  return answer
}

function checkContent(result: Record<string, unknown>): Result {
  const { content, structuredContent, isError } = result
  if (content !== undefined && !isContent(content)) {
    throw protocolError('The MCP server answered with "content" that is not a list of content blocks.')
  }
  if (isError !== undefined && typeof isError !== 'boolean') {
    throw protocolError('The MCP server answered with an "isError" that is not a boolean.')
  }
  if (content === undefined && structuredContent === undefined) result['content'] = []
  return result
}

function isContent(content: unknown): content is readonly ContentBlock[] {
  return (
    Array.isArray(content) && content.every((block) => isObject(block) && typeof block['type'] === 'string')
  )
}
