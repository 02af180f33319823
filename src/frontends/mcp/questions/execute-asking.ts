import { randomUUID } from 'node:crypto'
import type { Call, Executor } from '../../../core/call.ts'
import { Cancellation } from '../../../core/cancellation.ts'
import { toWeirError, WeirError } from '../../../core/error.ts'
import { type InputAnswers, InputRequired, type Outcome, type Questions } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Capabilities } from '../../../wire/model.ts'
import {
  missingCapability,
  narrowCapabilities,
  type Question,
  readQuestion,
  withoutQuestions,
} from '../../../wire/questions.ts'
import { nextCallId } from '../../shared/next-call-id.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from './client-questions.ts'
import { readUrlElicitation } from './read-url-elicitation.ts'

/** A tool that has asked so often and wants to ask again will never have enough. */
const roundsMax = 16

/** What the client of this exchange can be asked while it runs, in the words of its own era. */
export function readCapabilities({ revision, meta, session, ask }: Exchange): Capabilities {
  if (revision.era === 'modern' || session === undefined) return meta.clientCapabilities
  const declared = narrowCapabilities(session.clientCapabilities, revision)
  return ask === undefined ? withoutQuestions(declared) : declared
}

/**
 * Runs a call whose target may have questions. A modern client gets them as the outcome, and calls again. A client of
 * the old era is asked while its call waits, and the call is run again with the answers, until the target has enough.
 */
export async function executeAsking(executor: Executor, exchange: Exchange, call: Call): Promise<Outcome> {
  const first = await executor.execute(call)
  if (first.kind === 'complete') return first
  if (exchange.revision.era === 'modern') return translateUrl(first, call.answers)
  let outcome: Outcome = first
  for (let round = 1; outcome.kind === 'input-required'; round += 1) {
    const { required }: { required: InputRequired } = outcome
    outcome = await answerRound(executor, exchange, call, required, round).catch((error: unknown) => {
      required.abandon?.()
      return { kind: 'failed', error: toWeirError(error) } as const
    })
  }
  return outcome
}

/** Each round has a time limit of its own: while a person decides, no deadline runs. */
async function answerRound(
  executor: Executor,
  exchange: Exchange,
  call: Call,
  required: InputRequired,
  round: number,
): Promise<Outcome> {
  const questions = readAnswerable(exchange, required.questions, call.entry.id)
  if (round > roundsMax) {
    throw new WeirError('UPSTREAM_PROTOCOL', `${call.entry.id} asked its user ${roundsMax} times in a row.`, {
      hint: 'Report this to whoever runs the upstream server.',
    })
  }
  return withChild(exchange.cancellation, async (cancellation) => {
    const replies = await Promise.all(
      questions.map(async ([key, question]) => [key, await exchange.ask!(question, cancellation)] as const),
    ).catch((error: unknown) => {
      cancellation.cancel(toWeirError(error))
      throw error
    })
    const responses: Record<string, Reply> = Object.fromEntries(replies)
    const answers = { responses, ...(required.resume === undefined ? {} : { resume: required.resume }) }
    return executor.execute({ ...call, id: nextCallId(), cancellation, answers })
  })
}

/** Stops when the parent is stopped, and has a deadline of its own. */
async function withChild<T>(parent: Cancellation, work: (child: Cancellation) => Promise<T>): Promise<T> {
  const child = new Cancellation()
  const abort = () => child.cancel(parent.reason!)
  if (parent.aborted) abort()
  parent.addEventListener('abort', abort)
  try {
    return await work(child)
  } finally {
    parent.removeEventListener('abort', abort)
  }
}

/** The questions as this client's revision has them. Throws INPUT_UNSUPPORTED where it cannot be asked them all. */
function readAnswerable(
  exchange: Exchange,
  questions: Questions,
  id: string,
): readonly (readonly [string, Question])[] {
  const capabilities = exchange.ask === undefined ? {} : readCapabilities(exchange)
  return Object.entries(questions).map(([key, value]) => {
    const question = readQuestion(value)
    const isMissing = question === undefined || missingCapability(question, capabilities) !== undefined
    if (isMissing || exchange.ask === undefined) throw unsupported(value, id)
    return [key, renderFor(exchange, question)]
  })
}

/** Before there were URLs to ask for, a question did not say that it is a form; and only then had URLs an id. */
function renderFor({ revision }: Exchange, question: Question): Question {
  const { mode, ...params } = question.params
  if (mode === 'form' && revision.version < '2025-11-25') return { ...question, params }
  if (mode !== 'url' || params['elicitationId'] !== undefined) return question
  return { ...question, params: { ...question.params, elicitationId: randomUUID() } }
}

function unsupported(question: unknown, id: string): WeirError {
  const method = isObject(question) && typeof question['method'] === 'string' ? question['method'] : 'nothing'
  return new WeirError('INPUT_UNSUPPORTED', `${id} asks its user a question (${method.slice(0, 100)}).`, {
    hint: 'Connect with a client that declares the capability for it, keeps a session and accepts event streams.',
  })
}

/**
 * An old server's word that a URL must be visited first, as the new era says it. Whoever said no to one of these URLs
 * gets the error itself: asking again would change nothing.
 */
function translateUrl(outcome: Outcome, answers: InputAnswers | undefined): Outcome {
  const required = outcome.kind === 'failed' ? readUrlElicitation(outcome.error) : undefined
  if (required === undefined) return outcome
  const questions: Record<string, unknown> = {}
  for (const [index, elicitation] of required.data.elicitations.entries()) {
    const key = `url-${index + 1}`
    const reply = answers?.responses[key]
    if (isObject(reply) && reply['action'] !== 'accept') return outcome
    questions[key] = { method: 'elicitation/create', params: { ...Object(elicitation), mode: 'url' } }
  }
  return { kind: 'input-required', required: new InputRequired(questions) }
}
