import { createWeir, type Weir } from '../../app.ts'
import { durationSchema } from '../../config/duration.ts'
import { everything } from '../../core/caller.ts'
import { Cancellation } from '../../core/cancellation.ts'
import type { Entry } from '../../core/catalog.ts'
import { WeirError } from '../../core/error.ts'
import type { CallEvent } from '../../core/event.ts'
import { findNearestKey } from '../../core/nearest-key.ts'
import type { Outcome, Pending, Result } from '../../core/outcome.ts'
import { toJsonSchema } from '../../core/schema.ts'
import type { CommandContext } from '../command-context.ts'
import { describeState } from '../describe-state.ts'
import { exitOf, exits } from '../exit-codes.ts'
import { watchSignals } from '../interruption.ts'
import { type Failure, type Output, toFailure } from '../output.ts'
import { parseArguments } from '../parse-arguments.ts'
import { readPort } from '../read-port.ts'
import { readStdin } from '../read-stdin.ts'
import { readUser } from '../read-user.ts'
import { failureText, printResult } from '../render-result.ts'
import { findRunningWeir, type RunningWeir } from '../running-weir.ts'
import { openSetup, quiet, type Setup } from '../setup.ts'

interface CallOptions {
  readonly args?: string
  readonly timeout?: string
  readonly port?: string
}

/** What was asked for, before the tool and its schema are known. */
interface Wish {
  readonly id: string
  readonly pairs: readonly string[]
  readonly json: string | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Where nobody says otherwise the tool's own deadline ends the call; this is for a Weir that has fallen silent. */
const timeoutMaxMs = 3_600_000
const nearestMax = 3

/** `weir call connection:tool key=value …` */
export async function call(
  context: CommandContext,
  options: CallOptions,
  [id = '', ...pairs]: readonly string[],
): Promise<number> {
  const { output } = context
  const timeoutMs = options.timeout === undefined ? timeoutMaxMs : readTimeout(options.timeout)
  const json = options.args === '-' ? await readStdin() : options.args
  // Not before: until here a signal simply ends the process.
  const { signal } = watchSignals()
  const wish = { id, pairs, json, timeoutMs, signal }
  const setup = await openSetup(context)
  try {
    const running = await findRunningWeir(setup.base.egress, { ...setup.server, ...readPort(options.port) })
    return await (running === undefined ? callHere(setup, wish, output) : callThere(running, wish, output))
  } finally {
    await setup.base.egress.close()
    await setup.close()
  }
}

function readTimeout(text: string): number {
  const read = durationSchema.safeParse(text)
  if (read.success) return read.data
  throw new WeirError('INVALID_PARAMS', `--timeout ${JSON.stringify(text)} is not a duration.`, {
    hint: 'Write 500ms, 30s or 2m; at most 24h.',
  })
}

async function callThere(running: RunningWeir, wish: Wish, output: Output): Promise<number> {
  const tool = running.tools.find(({ id }) => id === wish.id)
  if (tool === undefined) {
    const ids = running.tools.map(({ id }) => id)
    throw unknownTool(wish.id, ids, `the Weir at ${running.url}`)
  }
  const input = parseArguments(tool.input, wish.pairs, wish.json)
  const outcome = await running.call(tool.id, input, wish)
  if ('pending' in outcome) return tellPending(outcome.pending, output)
  return 'failure' in outcome
    ? fail(outcome.failure, output)
    : succeed(outcome.result, output, outcome.degraded)
}

async function callHere(setup: Setup, wish: Wish, output: Output): Promise<number> {
  const connection = wish.id.split(':')[0]!
  const loaded = quiet(await setup.load())
  const names = Object.keys(loaded.config.connections)
  if (!names.includes(connection)) {
    throw unknownTool(wish.id, names, `the connections of ${setup.path ?? 'the sample'}`)
  }
  const user = readUser()
  const weir = createWeir({
    ...{ base: setup.base, loaded, user, only: [connection] },
    onApproval: ({ id, tool }) => output.note(`${tool} waits for approval: weir approvals approve ${id}`),
  })
  const cancellation = new Cancellation()
  const stopped = stopOn(cancellation, wish)
  try {
    const entry = await Promise.race([findEntry(weir, connection, wish), stopped])
    const input = parseArguments(toJsonSchema(entry.target.input), wish.pairs, wish.json)
    const running = weir.executor.execute({
      id: 'cli',
      entry,
      input,
      caller: { subject: `cli:${user}`, tenant: 'default', grants: everything },
      cancellation,
      via: 'cli',
      wantsProgress: true,
      logLevel: 'info',
      emit: (event) => output.note(renderEvent(event)),
    })
    return finish(await Promise.race([running, stopped]), output)
  } finally {
    await weir.close(0)
  }
}

/** Rejects, and cancels the call, when the user leaves or the time is up. */
function stopOn(cancellation: Cancellation, { signal, timeoutMs }: Wish): Promise<never> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = (error: WeirError) => {
      cancellation.cancel(error)
      reject(error)
    }
    signal.addEventListener('abort', () => stop(signal.reason as WeirError))
    const late = new WeirError('DEADLINE_EXCEEDED', `The call did not end within ${timeoutMs} ms.`, {
      hint: 'Ask for less, or give a longer --timeout.',
    })
    setTimeout(() => stop(late), timeoutMs).unref()
  })
  // Most calls end before either happens, and nobody is left to hear of it.
  stopped.catch(() => {})
  return stopped
}

async function findEntry(weir: Weir, connection: string, wish: Wish): Promise<Entry> {
  await weir.catalog.settled(wish.timeoutMs)
  const entry = weir.catalog.find(wish.id)
  if (entry !== undefined) return entry
  const status = weir.catalog.connections().find(({ name }) => name === connection)
  // What offers tools and not this one lacks it, whether or not its system is there.
  if (status?.state !== 'up' && status?.state !== 'idle' && !(status?.tools ?? 0)) {
    throw new WeirError(
      'CONNECTION_UNAVAILABLE',
      `The connection ${connection} ${describeState(status?.state, status?.cause)}${status?.cause === undefined ? '.' : ''}`,
      { hint: `\`weir doctor ${connection}\` says how far it comes, and what to do.` },
    )
  }
  const ids = (weir.catalog.view()?.tools.list() ?? []).map(({ entry }) => entry.id)
  throw unknownTool(wish.id, ids, `the connection ${connection}`)
}

/** With the nearest ids, of the tool or, where only connections are known, of the connection. */
function unknownTool(id: string, known: readonly string[], where: string): WeirError {
  const nearest: string[] = []
  const words = known.some((name) => name.includes(':')) ? [id, id.split(':').at(-1)!] : [id.split(':')[0]!]
  for (let left = [...known]; nearest.length < nearestMax; ) {
    const next = findNearest(words, left)
    if (next === undefined) break
    nearest.push(next)
    left = left.filter((name) => name !== next)
  }
  const meant = nearest.length === 0 ? '' : `Did you mean ${nearest.join(' or ')}? `
  return new WeirError('TOOL_NOT_FOUND', `There is no tool ${JSON.stringify(id)} in ${where}.`, {
    hint: `${meant}\`weir tools\` lists them all, \`weir pins\` what waits for approval.`,
    data: { nearest },
  })
}

/** By the whole id; else by the tool's own name, so that a forgotten connection is found too. */
function findNearest([whole, own]: readonly string[], known: readonly string[]): string | undefined {
  const byId = findNearestKey(whole!, known)
  if (byId !== undefined || own === undefined) return byId
  const tool = known.find((id) => id.endsWith(`:${own}`))
  return tool ?? known.find((id) => findNearestKey(own, [id.slice(id.indexOf(':') + 1)]) !== undefined)
}

function renderEvent(event: CallEvent): string {
  if (event.kind === 'log') return `${event.level}: ${JSON.stringify(event.data)}`
  if (event.kind === 'elicitation-complete') return 'the page that was asked for is done'
  const total = event.total === undefined ? '' : `/${event.total}`
  return `progress ${event.progress}${total}${event.message === undefined ? '' : ` ${event.message}`}`
}

function finish(outcome: Outcome, output: Output): number {
  if (outcome.kind === 'complete') return succeed(outcome.result, output, outcome.degraded?.reason)
  if (outcome.kind === 'pending') return tellPending(outcome.pending, output)
  if (outcome.kind === 'input-required') {
    throw new WeirError('INPUT_UNSUPPORTED', 'The tool asks its user a question.', {
      hint: 'Call it from an MCP client.',
    })
  }
  if (outcome.kind === 'task') {
    throw new WeirError('INPUT_UNSUPPORTED', 'The tool began a task, which would outlive this command.', {
      hint: 'Call it from an MCP client that follows tasks.',
    })
  }
  const { error } = outcome
  const isHidden = error.code === 'INTERNAL' && error.cause instanceof Error
  return fail(
    { ...toFailure(error), ...(isHidden ? { message: (error.cause as Error).message } : {}) },
    output,
  )
}

/** Not a failure of the tool, which has not run; and nothing that a script may take for done. */
function tellPending({ tool, approvalId, expiresAt }: Pending, output: Output): number {
  if (output.isJson) output.json({ status: 'pending_approval', approvalId, expiresAt })
  else {
    output.note(`${tool} has not run: it waits for approval until ${expiresAt}.`)
    output.note(`Approve it with \`weir approvals approve ${approvalId}\`, then call it again.`)
  }
  return exits.denied
}

function succeed(result: Result, output: Output, degraded: string | undefined): number {
  if (result.isError === true) return fail({ message: failureText(result) }, output)
  if (degraded !== undefined) output.tell('warning', `not the tool’s own answer: ${degraded}`)
  printResult(result, output)
  return exits.ok
}

/** A tool's own error has no code of ours. */
function fail(failure: Failure, output: Output): number {
  output.fail(failure)
  return failure.code === undefined ? exits.toolError : exitOf(failure.code)
}
