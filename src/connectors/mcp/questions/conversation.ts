import { Cancellation } from '../../../core/cancellation.ts'
import { toWeirError, WeirError } from '../../../core/error.ts'
import { InputRefused, InputRequired } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { RunContext } from '../../../core/tool.ts'
import type { JsonRpcNotification, JsonRpcRequest } from '../../../wire/json-rpc.ts'
import { renderErrorResponse, renderResponse } from '../../../wire/json-rpc.ts'
import { stripProtocolMeta } from '../../../wire/model.ts'
import { missingCapability, type Question } from '../../../wire/questions.ts'
import { methodNotFound } from '../upstream-error.ts'

/** What a call comes to: its result, or questions that its caller must answer first. */
export type Answered = Readonly<Record<string, unknown>> | InputRequired

/** The connection, as one of its conversations sees it. */
export interface Desk {
  /** Sends a message to the server; what becomes of it is the transport's affair. */
  send(text: string): void
  /** Takes room for questions; false where there is none left. */
  reserve(chars: number): boolean
  release(chars: number): void
  /** Keeps the conversation, which nobody waits on now, for whoever brings the answers, and gives the token for it. */
  hold(conversation: Conversation): string
  /** The server is done with the request, or was told to be. */
  ended(conversation: Conversation): void
}

/** Questions of one call that are open at once. */
const questionsMax = 16
/** A result that came while nobody waited for it is kept until somebody does, if it is no larger. */
const keptCharsMax = 1024 * 1024
const declined = -32_000

/**
 * One request to a legacy server from its sending to its answer. Its caller's calls come and go: a question ends the
 * call that waits, and the request stays under way until the call with the answers attaches to it.
 */
export class Conversation {
  /** What was asked for; an answer to anything else is no answer to this. */
  readonly what: string
  readonly #desk: Desk
  readonly #stop = new Cancellation()
  /** Made with the first question: most calls have none. */
  #open: Map<string, { readonly request: JsonRpcRequest; readonly chars: number }> | undefined
  #context: RunContext
  #settle: ((answered: Answered | Promise<never>) => void) | undefined
  #outcome: Answered | Promise<never> | undefined
  #isOver = false
  #isHeld = false
  #lastKey = 0
  /** The last URL that was asked for: the server may tell when the user is done there. */
  #elicitationId: unknown

  constructor(desk: Desk, what: string, context: RunContext) {
    this.what = what
    this.#desk = desk
    this.#context = context
  }

  /** Stops the request at the server. */
  get stop(): Cancellation {
    return this.#stop
  }

  /** Of the call that is attached, or was last. */
  get context(): RunContext {
    return this.#context
  }

  /** Whether it waits for its caller's answers, and no call waits on it. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Waits on the request for this call. A call that is stopped while it waits stops the request (R12). */
  attach(context: RunContext): Promise<Answered> {
    this.#context = context
    this.#isHeld = false
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#settle = undefined
        reject(context.stop.reason)
        this.cancel(toWeirError(context.stop.reason))
      }
      if (context.stop.aborted) return abort()
      context.stop.addEventListener('abort', abort, { once: true })
      this.#settle = (answered) => {
        this.#settle = undefined
        context.stop.removeEventListener('abort', abort)
        resolve(answered)
      }
      if (this.#outcome !== undefined) this.#settle(this.#outcome)
      else if (this.#open !== undefined) setImmediate(() => this.#handOut())
    })
  }

  /** Waits on the request, which has just been sent, for the call that it was sent for. */
  start(request: Promise<Readonly<Record<string, unknown>>>, context: RunContext): Promise<Answered> {
    request.then(
      (result) => this.#end(!this.#isHeld || isSmall(result) ? result : fail(tooLarge())),
      (error: unknown) => this.#end(fail(error)),
    )
    return this.attach(context)
  }

  /** Takes a question of the server. The text that comes back is the answer; undefined: it comes later. */
  ask(request: JsonRpcRequest): string | undefined {
    const missing = missingCapability(request, this.#context.clientCapabilities ?? {})
    if (missing !== undefined) return refuseMissing(request, missing)
    const chars = JSON.stringify(request.params).length
    const hasRoom = !this.#isOver && (this.#open?.size ?? 0) < questionsMax
    if (!hasRoom || !this.#desk.reserve(chars))
      return renderErrorResponse(request.id, {
        code: declined,
        message: 'Too many questions of this call are open, or it is over.',
      })
    if (request.params['mode'] === 'url') this.#elicitationId = request.params['elicitationId']
    this.#lastKey += 1
    this.#open ??= new Map()
    this.#open.set(`question-${this.#lastKey}`, { request, chars })
    // Questions that came in one chunk are handed out together.
    setImmediate(() => this.#handOut())
    return undefined
  }

  /** What the server says of its questions: that the user is done at a URL, or that it asks no longer. */
  hear({ method, params }: JsonRpcNotification): void {
    const { requestId, elicitationId } = params
    if (method === 'notifications/cancelled') this.#withdraw(requestId)
    if (method !== 'notifications/elicitation/complete' || typeof elicitationId !== 'string') return
    if (elicitationId === this.#elicitationId && !this.#isHeld)
      this.#context.emit({ kind: 'elicitation-complete', elicitationId })
  }

  #withdraw(id: unknown): void {
    for (const [key, { request }] of this.#open ?? []) if (request.id === id) this.#close(key)
  }

  /** Sends the server what its questions were answered with; those left out stay open. */
  answer(responses: Readonly<Record<string, unknown>>): void {
    for (const [key, { request }] of [...(this.#open ?? [])]) {
      const text = Object.hasOwn(responses, key) ? renderAnswer(request, responses[key]) : undefined
      if (text === undefined) continue
      this.#close(key)
      this.#desk.send(text)
    }
  }

  /** Tells the server that its questions will not be answered and its work is not wanted. */
  cancel(reason: WeirError): void {
    if (this.#isOver || this.#stop.aborted) return
    this.#stop.cancel(reason)
    for (const [key, { request }] of [...(this.#open ?? [])]) {
      this.#close(key)
      this.#desk.send(renderErrorResponse(request.id, { code: declined, message: reason.message }))
    }
  }

  #close(key: string): void {
    const question = this.#open?.get(key)
    if (question === undefined) return
    this.#open?.delete(key)
    this.#desk.release(question.chars)
  }

  #end(outcome: Answered | Promise<never>): void {
    this.#isOver = true
    for (const key of this.#open?.keys() ?? []) this.#close(key)
    this.#desk.ended(this)
    // Kept only where nobody waits for it: what is over should hold nothing.
    if (this.#settle === undefined) this.#outcome = outcome
    else this.#settle(outcome)
  }

  #handOut(): void {
    if (this.#settle === undefined || this.#isOver || this.#open === undefined) return
    if (this.#open.size === 0) return
    const questions = Object.fromEntries(
      [...this.#open].map(([key, { request }]) => [key, readQuestion(request)]),
    )
    const abandon = () => {
      if (this.#isHeld) this.cancel(new WeirError('CANCELLED', 'Nobody will answer the question.'))
    }
    this.#isHeld = true
    this.#settle(new InputRequired(questions, this.#desk.hold(this), abandon))
  }
}

/** A question without what concerned this hop alone, such as the task that it is asked for. */
function readQuestion({ method, params: { _meta, ...params } }: JsonRpcRequest): Question {
  const meta = stripProtocolMeta(_meta)
  return { method, params: meta === undefined ? params : { ...params, _meta: meta } }
}

/** What a client that lacks the capability would answer. */
function refuseMissing({ id, method }: JsonRpcRequest, missing: object): string {
  const [[name, detail] = ['', {}]] = Object.entries(missing)
  const [part] = Object.keys(detail as object)
  if (part === undefined)
    return renderErrorResponse(id, { code: methodNotFound, message: `The client cannot be asked ${method}.` })
  const message = `The client cannot be asked ${method}: it lacks the capability ${name}.${part}.`
  return renderErrorResponse(id, { code: -32_602, message })
}

function renderAnswer({ id }: JsonRpcRequest, response: unknown): string | undefined {
  if (response instanceof InputRefused) return renderErrorResponse(id, response.error)
  return isObject(response) ? renderResponse(id, JSON.stringify(response)) : undefined
}

function isSmall(result: object): boolean {
  return JSON.stringify(result).length <= keptCharsMax
}

function tooLarge(): WeirError {
  return new WeirError(
    'RESPONSE_TOO_LARGE',
    `The answer came while its caller was asked a question, and is larger than ${keptCharsMax} characters.`,
    { hint: 'Call the tool again.' },
  )
}

/** A rejection that nobody may ever wait for is no fault of the process. */
function fail(error: unknown): Promise<never> {
  const failed = Promise.reject(error)
  failed.catch(() => {})
  return failed
}
