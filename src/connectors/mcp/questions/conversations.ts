import { randomBytes } from 'node:crypto'
import type { Caller } from '../../../core/caller.ts'
import { type Clock, systemClock, type Timer } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { InputAnswers } from '../../../core/outcome.ts'
import type { RunContext } from '../../../core/tool.ts'
import {
  type JsonRpcNotification,
  type JsonRpcRequest,
  renderErrorResponse,
  renderResponse,
} from '../../../wire/json-rpc.ts'
import { isQuestion, missingCapability } from '../../../wire/questions.ts'
import { methodNotFound } from '../upstream-error.ts'
import { type Answered, Conversation, type Desk } from './conversation.ts'
import { Turns } from './turns.ts'

/** What the conversations of one connection stand on. */
export interface ConversationsOptions {
  /** Sends a message to the server. */
  readonly send: (text: string) => void
  /** Told to a server that asks for roots; without them its caller is asked. */
  readonly roots: readonly string[] | undefined
  readonly log: Logger
  readonly clock?: Clock
}

/** How one request is sent, given what it needs to be answered through. */
export type Send = (conversation: Conversation) => Promise<Readonly<Record<string, unknown>>>

/** Calls that wait for their caller's answers at once. Over HTTP each holds a socket, and others must be left over. */
const heldMax = 50
/** A person may take this long to answer. */
const heldMs = 10 * 60_000
/** So long while other callers wait for their turn: nobody may hold a server up for ever by not answering. */
const heldUpMs = 60_000
/** Characters of all open questions of a connection. */
const questionCharsMax = 32 * 1024 * 1024
/** A server that was told to stop may still ask on behalf of what it was doing, for so long. */
const strayMs = 60_000

interface Held {
  readonly conversation: Conversation
  readonly dueMs: number
  readonly timer: Timer
}

/**
 * The requests to one legacy server that may come back with questions, and whose each question is (S5). A question on a
 * request's own stream is that request's. On a channel that all share it names none, so it goes to the one request under
 * way; with several it is refused, and from then on there is never more than one.
 */
export class Conversations implements Desk {
  readonly #options: ConversationsOptions
  readonly #clock: Clock
  readonly #turns = new Turns<Conversation>()
  readonly #held = new Map<string, Held>()
  #questionChars = 0
  /** Whose work a server was told to stop last: `several` where it was more than one caller's. */
  #stray: { readonly caller: Caller | 'several'; readonly untilMs: number } | undefined

  constructor(options: ConversationsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Runs a request for a call; a call that brings answers goes on with the request that asked. */
  run(what: string, send: Send, context: RunContext): Promise<Answered> {
    const { answers, stop } = context
    if (stop.aborted) return Promise.reject(stop.reason)
    if (answers?.resume !== undefined) return this.#goOn(answers.resume, answers, what, context)
    const start = (conversation: Conversation) => conversation.start(send(conversation), context)
    const begin = () => new Conversation(this, what, context)
    // A caller is not kept waiting by its own question: whatever comes of it reaches nobody else.
    const isRival = (other: Conversation) => !other.isHeld || !isSame(other.context.caller, context.caller)
    const conversation = this.#turns.enter(begin, isRival)
    // Nearly every call comes this way, so it makes no promise that it can do without.
    if (conversation !== undefined) return start(conversation)
    const turn = this.#turns.wait(begin, isRival, stop).then(start)
    for (const [token, { conversation: held, dueMs }] of this.#held)
      if (dueMs > this.#clock.monotonicMs() + heldUpMs) this.#keep(token, held, heldUpMs)
    return turn
  }

  /** A request of the server on the stream of one of ours. */
  takeFrom(conversation: Conversation, request: JsonRpcRequest): string | undefined {
    return this.#answerSelf(request, [conversation]) ?? conversation.ask(request)
  }

  /** A request of the server on the stream of something that is no call. */
  takeOutside(request: JsonRpcRequest): string {
    return this.#answerSelf(request, []) ?? refuse(request, 'No call is under way that it could belong to.')
  }

  /** A request of the server that does not say what it belongs to. */
  take(request: JsonRpcRequest): string | undefined {
    const running = [...this.#turns.running]
    const own = this.#answerSelf(request, running)
    if (own !== undefined) return own
    if (running.length === 0) return this.takeOutside(request)
    const only = findOnly(running)
    if (only !== undefined && !this.#isStray(only.context.caller)) return only.ask(request)
    if (only === undefined && this.#turns.takeInTurn()) this.#warn()
    return refuse(request, 'Several calls are under way, and it does not say to which of them it belongs.')
  }

  /** What the server says of its questions. */
  hear(notification: JsonRpcNotification): void {
    for (const conversation of this.#turns.running) conversation.hear(notification)
  }

  send(text: string): void {
    this.#options.send(text)
  }

  reserve(chars: number): boolean {
    if (this.#questionChars + chars > questionCharsMax) return false
    this.#questionChars += chars
    return true
  }

  release(chars: number): void {
    this.#questionChars -= chars
  }

  hold(conversation: Conversation): string {
    if (this.#held.size >= heldMax) this.#makeRoom()
    const token = randomBytes(18).toString('base64url')
    this.#keep(token, conversation, this.#turns.isWaitedFor ? heldUpMs : heldMs)
    // It does not wait on the server any more, which may be all that its caller’s next call waits for.
    setImmediate(() => this.#turns.pass())
    return token
  }

  ended(conversation: Conversation): void {
    if (conversation.stop.aborted) this.#noteStray(conversation.context.caller)
    this.#turns.leave(conversation)
  }

  /** Ends every request that waits for an answer. */
  close(reason: WeirError): void {
    for (const token of [...this.#held.keys()]) this.#drop(token, reason)
  }

  async #goOn(
    token: string,
    { responses }: InputAnswers,
    what: string,
    context: RunContext,
  ): Promise<Answered> {
    const conversation = this.#resume(token, what, context.caller)
    conversation.answer(responses)
    return conversation.attach(context)
  }

  #resume(token: string, what: string, caller: Caller): Conversation {
    const held = this.#held.get(token)
    // Another caller's call answers as if it did not exist.
    if (
      held === undefined ||
      held.conversation.what !== what ||
      !isSame(held.conversation.context.caller, caller)
    ) {
      throw new WeirError('RESUME_LOST', 'The call that asked the question is not there any more.', {
        hint: 'Make the call again from the start; what it did before it asked may have taken effect.',
      })
    }
    this.#held.delete(token)
    held.timer.cancel()
    return held.conversation
  }

  #keep(token: string, conversation: Conversation, forMs: number): void {
    this.#held.get(token)?.timer.cancel()
    const expire = () =>
      this.#drop(token, new WeirError('DEADLINE_EXCEEDED', 'Nobody answered the question in time.'))
    const timer = this.#clock.setTimer(expire, forMs)
    this.#held.set(token, { conversation, dueMs: this.#clock.monotonicMs() + forMs, timer })
  }

  /** The caller that holds most loses its oldest, so that nobody can push out the others’. */
  #makeRoom(): void {
    const tokens = new Map<string, string[]>()
    for (const [token, { conversation }] of this.#held) {
      const { subject, tenant } = conversation.context.caller
      const key = JSON.stringify([subject, tenant])
      tokens.set(key, [...(tokens.get(key) ?? []), token])
    }
    const [most] = [...tokens.values()].sort((one, other) => other.length - one.length)
    const message = `${heldMax} calls to this MCP server wait for their callers’ answers.`
    this.#drop(most![0]!, new WeirError('OVERLOADED', message))
  }

  #drop(token: string, reason: WeirError): void {
    const held = this.#held.get(token)
    if (held === undefined) return
    this.#held.delete(token)
    held.timer.cancel()
    held.conversation.cancel(reason)
  }

  /** What needs no caller: questions of no kind we know, and roots that are configured or that nobody could name. */
  #answerSelf(request: JsonRpcRequest, running: readonly Conversation[]): string | undefined {
    const { id, method } = request
    if (!isQuestion(method))
      return renderErrorResponse(id, { code: methodNotFound, message: `Weir has no method ${method}.` })
    const { roots } = this.#options
    const able = running.find(
      ({ context }) => missingCapability(request, context.clientCapabilities ?? {}) === undefined,
    )
    if (method === 'roots/list' && (roots !== undefined || able === undefined))
      return renderResponse(id, JSON.stringify({ roots: (roots ?? []).map((uri) => ({ uri })) }))
    // Where no caller could answer it does not matter whose it is, so the first one's refusal will do.
    return able === undefined ? running[0]?.ask(request) : undefined
  }

  #isStray(caller: Caller): boolean {
    if (this.#stray === undefined || this.#stray.untilMs <= this.#clock.monotonicMs()) return false
    return this.#stray.caller === 'several' || !isSame(this.#stray.caller, caller)
  }

  #noteStray(caller: Caller): void {
    const isMixed = this.#isStray(caller)
    this.#stray = {
      caller: isMixed ? 'several' : caller,
      untilMs: this.#clock.monotonicMs() + strayMs,
    }
  }

  #warn(): void {
    this.#options.log.warn(
      { cure: 'isolation: caller' },
      'The MCP server asked a question while several calls were under way, and did not say which it belongs to. It was refused, and calls to this server go one at a time from now on.',
    )
  }
}

/**
 * The one that a question must belong to. Beside it there may be others of its caller that wait for answers, or were
 * given up without a word: of those that wait the newest is the one that goes on asking.
 */
function findOnly(running: readonly Conversation[]): Conversation | undefined {
  const [one, ...others] = running.filter(({ isHeld }) => !isHeld)
  const only = one ?? running.at(-1)
  if (only === undefined || others.length > 0) return undefined
  return running.every(({ context }) => isSame(context.caller, only.context.caller)) ? only : undefined
}

function refuse({ id }: JsonRpcRequest, why: string): string {
  return renderErrorResponse(id, { code: -32_000, message: `The question was not passed on. ${why}` })
}

function isSame(one: Caller, other: Caller): boolean {
  return one.subject === other.subject && one.tenant === other.tenant
}
