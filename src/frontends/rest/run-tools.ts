import type { ServerResponse } from 'node:http'
import type { Call, CallNote, Executor } from '../../core/call.ts'
import type { Caller } from '../../core/caller.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { type ErrorCode, toWeirError, WeirError } from '../../core/error.ts'
import { readPointer } from '../../core/json-pointer.ts'
import type { Standing } from '../../core/limit.ts'
import { runBounded } from '../../core/run-bounded.ts'
import { nextCallId } from '../shared/next-call-id.ts'
import type { FoundTool } from './read-execute.ts'
import { type ItemResult, renderFailed, renderItem } from './render-item.ts'

/** The tools of one request, all of them found. */
export interface ToolsRun {
  readonly requestId: string
  readonly caller: Caller
  readonly found: readonly FoundTool[]
  readonly meta?: Call['meta'] | undefined
  readonly note: CallNote | undefined
  /** Of the whole request; each of its tools has one of its own made of it. */
  readonly idempotencyKey?: string | undefined
  /** Side by side, and none is kept from running by another's failure. */
  readonly isParallel?: boolean
  /** Watched for a client that leaves. */
  readonly response: ServerResponse
}

/** The answer to a request whose tools were all found (D4-014). */
export interface RunBody {
  readonly request_id: string
  readonly successful: boolean
  readonly data: { readonly results: readonly ItemResult[] }
  readonly error?: string
}

/** What the request is answered with. */
export interface ToolsAnswer {
  readonly body: RunBody
  /** Set where Weir itself refused the first tool, so that none ran: the request as a whole was refused (B-125). */
  readonly refusal?: WeirError
  /** With the tightest of the limits that the tools were under. */
  readonly standing?: Standing
}

/** What is refused before a tool runs. Every other error is the outcome of a tool, and its status stays 200 (D4-014). */
const refusals: ReadonlySet<ErrorCode> = new Set(['RATE_LIMITED'])

/**
 * Runs the tools one after another; the first failure ends the run (D4-015), and what ran before it is kept (B-123). Or
 * side by side, ten at a time, each with its own outcome, in the order asked for (D4-044).
 */
export async function runTools(executor: Executor, run: ToolsRun): Promise<ToolsAnswer> {
  return new ToolRun(executor, run).run()
}

/** Of one request: more would only take the places of others' calls. */
const lanesMax = 10

class ToolRun {
  readonly #executor: Executor
  readonly #run: ToolsRun
  /** Each tool has its own deadline, so each has its own way to be stopped. */
  readonly #running = new Set<Cancellation>()
  #clientLeft: WeirError | undefined
  #refusal: WeirError | undefined
  #standing: Standing | undefined

  constructor(executor: Executor, run: ToolsRun) {
    this.#executor = executor
    this.#run = run
    const { response } = run
    const leave = () => {
      if (response.writableFinished) return
      this.#clientLeft = new WeirError('CANCELLED', 'The client left.')
      for (const cancellation of this.#running) cancellation.cancel(this.#clientLeft)
    }
    response.once('close', leave)
    // It may have left while its tools were being found; nobody would tell us again.
    if (response.destroyed) leave()
  }

  async run(): Promise<ToolsAnswer> {
    const { found, isParallel } = this.#run
    const results =
      isParallel === true
        ? await runBounded([...found.entries()], lanesMax, ([index, tool]) =>
            this.#runOne(tool, index, undefined),
          )
        : await this.#runInOrder()
    const failed = results.find(({ successful }) => !successful)
    const failure = failed === undefined ? undefined : (failed.error ?? 'The tool failed.')
    const body = {
      request_id: this.#run.requestId,
      successful: failure === undefined,
      data: { results },
      ...(failure === undefined ? {} : { error: failure }),
    }
    return {
      body,
      ...(this.#refusal === undefined ? {} : { refusal: this.#refusal }),
      ...(this.#standing === undefined ? {} : { standing: this.#standing }),
    }
  }

  async #runInOrder(): Promise<ItemResult[]> {
    const results: ItemResult[] = []
    for (const [index, tool] of this.#run.found.entries()) {
      const last = results.at(-1)
      if (last?.successful === false) {
        const skipped = new WeirError('NOT_RUN', 'Not run: an earlier tool of the request failed.')
        results.push(renderFailed(tool.slug, skipped))
      } else results.push(await this.#runOne(tool, index, last?.response))
    }
    return results
  }

  async #runOne(tool: FoundTool, index: number, previous: unknown): Promise<ItemResult> {
    const { entry, slug } = tool
    const { caller, meta, note, idempotencyKey } = this.#run
    const cancellation = new Cancellation()
    if (this.#clientLeft !== undefined) cancellation.cancel(this.#clientLeft)
    this.#running.add(cancellation)
    try {
      const outcome = await this.#executor.execute({
        ...{
          id: nextCallId(),
          entry,
          input: withPrevious(tool, previous),
          caller,
          cancellation,
          via: 'rest',
        },
        ...(meta === undefined ? {} : { meta }),
        ...(note === undefined ? {} : { note }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey: `${idempotencyKey}/${index}` }),
        onStanding: (one) => this.#noteStanding(one),
      })
      if (index === 0 && outcome.kind === 'failed' && refusals.has(outcome.error.code))
        this.#refusal = outcome.error
      return renderItem(slug, outcome)
    } catch (thrown) {
      // What an earlier tool answered does not have what this one was to be given.
      return renderFailed(slug, toWeirError(thrown))
    } finally {
      this.#running.delete(cancellation)
    }
  }

  #noteStanding(one: Standing): void {
    if (this.#standing === undefined || one.remaining <= this.#standing.remaining) this.#standing = one
  }
}

/**
 * The input with what the tool before it answered, where the request says so (D4-045). A copy: the caller's own arguments
 * stay as they are; and a part that is false, 0 or empty is given like any other (B-137). Throws INVALID_INPUT.
 */
function withPrevious({ input, previous: wanted, slug }: FoundTool, answered: unknown): FoundTool['input'] {
  if (wanted === undefined) return input
  const taken = Object.entries(wanted).map(([argument, pointer]) => {
    const value = readPointer(answered, pointer)
    if (value !== undefined) return [argument, value] as const
    throw new WeirError(
      'INVALID_INPUT',
      `The answer before ${slug} has nothing at ${JSON.stringify(pointer)} for ${JSON.stringify(argument)}.`,
      { hint: 'Point to a part that the tool before always answers with.' },
    )
  })
  return { ...input, ...Object.fromEntries(taken) }
}
