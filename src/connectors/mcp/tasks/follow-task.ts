import { WeirError } from '../../../core/error.ts'
import { InputRequired, type Result } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { RunContext } from '../../../core/tool.ts'
import type { Params } from '../../../wire/json-rpc.ts'
import { tasksExtension, withExtension } from '../../../wire/model.ts'
import { type Check, parseResult, readResponses, send } from '../ask.ts'
import type { Client } from '../client.ts'
import { pause } from '../pause.ts'
import { parseUpstreamError, protocolError } from '../upstream-error.ts'
import { abandonTask } from './abandon-task.ts'
import { renderTaskState, type TaskState } from './task-state.ts'

/** How often a task is asked about: as the server wishes, within these. */
const pollMs = { default: 1_000, min: 100, max: 30_000 }

/** A task as its server tells of it. */
type Task = Readonly<Record<string, unknown>>

/** How a task stands: under way, or with what it ended or asks. */
type Standing = 'working' | Result | InputRequired

/**
 * Follows a modern server's task for a client that cannot: asks until it has ended. Its questions become the call's own,
 * and their answers, in the retry, the task's. A call that does not see its task's end tells the server to end it.
 */
export async function followTask(
  client: Client,
  state: TaskState,
  context: RunContext,
  check: Check,
  begun: Task = {},
): Promise<Result | InputRequired> {
  const following = new Following(client, state, context, check)
  try {
    return await following.run(begun)
  } catch (error) {
    if (!following.isOver) following.abandon()
    throw error
  }
}

/** One call's way with one task. */
class Following {
  readonly #client: Client
  readonly #context: RunContext
  readonly #check: Check
  readonly #taskId: string
  #answered: readonly string[]
  /** Whether the task has come to its end. */
  isOver = false

  constructor(client: Client, { taskId, answered }: TaskState, context: RunContext, check: Check) {
    this.#client = client
    this.#taskId = taskId
    this.#answered = answered
    this.#context = context
    this.#check = check
  }

  async run(begun: Task): Promise<Result | InputRequired> {
    await this.#passAnswers()
    // What a task ended with stands in the answer to `tasks/get` alone.
    for (let task = begun; ; task = await this.#ask('tasks/get')) {
      const standing = task === begun ? 'working' : this.#read(task)
      if (standing !== 'working') return standing
      await pause(pauseOf(task), this.#context.stop)
    }
  }

  abandon(): void {
    abandonTask(this.#client, this.#taskId, { clientCapabilities: this.#capabilities })
  }

  get #capabilities() {
    return withExtension(this.#context.clientCapabilities, tasksExtension)
  }

  async #ask(method: string, more: Params = {}): Promise<Task> {
    const params = { ...more, taskId: this.#taskId }
    const answered = await send(this.#client, method, params, this.#context, {
      capabilities: this.#capabilities,
    })
    return parseResult(answered as Record<string, unknown>, (result) => result)
  }

  async #passAnswers(): Promise<void> {
    const { responses = {} } = this.#context.answers ?? {}
    const keys = Object.keys(responses)
    if (keys.length === 0) return
    await this.#ask('tasks/update', { inputResponses: readResponses(responses) })
    this.#answered = [...this.#answered, ...keys]
  }

  #read(task: Task): Standing {
    const { status, result, error, inputRequests, statusMessage } = task
    if (status === 'working') return 'working'
    if (status === 'input_required' && isObject(inputRequests)) return this.#readQuestions(inputRequests)
    this.isOver = status === 'completed' || status === 'failed' || status === 'cancelled'
    if (status === 'completed' && isObject(result)) return parseResult(result, this.#check)
    if (status === 'cancelled') throw cancelled(statusMessage)
    if (status === 'failed' && isObject(error)) throw failed(error)
    throw protocolError(
      `The MCP server told of a task in the state ${JSON.stringify(status ?? null)}, and not what belongs to it.`,
    )
  }

  /** What was answered already may stand there for a while, until the server has taken the answers in. */
  #readQuestions(questions: Record<string, unknown>): Standing {
    const open = Object.entries(questions).filter(([key]) => !this.#answered.includes(key))
    if (open.length === 0) return 'working'
    const state = renderTaskState({ taskId: this.#taskId, answered: this.#answered })
    return new InputRequired(Object.fromEntries(open), state, () => this.abandon())
  }
}

function pauseOf({ status, pollIntervalMs }: Task): number {
  // A call that brings answers, or whose task was over at once, has nothing to wait for.
  if (status !== 'working' && status !== 'input_required') return pollMs.min
  const wished = typeof pollIntervalMs === 'number' ? pollIntervalMs : pollMs.default
  return Math.min(pollMs.max, Math.max(pollMs.min, wished))
}

function failed({ code, message, data }: Readonly<Record<string, unknown>>): WeirError {
  if (typeof code === 'number' && typeof message === 'string') {
    return parseUpstreamError({ code, message, ...(data === undefined ? {} : { data }) })
  }
  return protocolError('The MCP server told of a task that failed, with an error that is none.')
}

function cancelled(statusMessage: unknown): WeirError {
  const why = typeof statusMessage === 'string' ? ` ${statusMessage.slice(0, 1_000)}` : ''
  return new WeirError('UPSTREAM_ERROR', `The MCP server cancelled the task.${why}`, {
    hint: 'Call the tool again if the work is still wanted.',
  })
}
