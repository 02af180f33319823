import { randomBytes } from 'node:crypto'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { Clock } from '../../../core/clock.ts'
import { toWeirError, WeirError } from '../../../core/error.ts'
import { InputRefused } from '../../../core/outcome.ts'
import {
  type JsonRpcResponse,
  type RequestId,
  renderNotification,
  renderRequest,
} from '../../../wire/json-rpc.ts'
import type { Question } from '../../../wire/questions.ts'

/** A client of the old era that can be asked while its call runs. */
export interface Asked {
  /** Its session: an answer from any other is none. */
  readonly session: string
  /** Whether the message is on its way; where it reads too slowly it is not. */
  send(messageText: string): boolean
}

/** A client's reply: its result, or that it answered with an error. */
export type Reply = Readonly<Record<string, unknown>> | InputRefused

/** The questions that clients of the old era have not answered yet. */
export interface ClientQuestions {
  /** Rejects with OVERLOADED, DEADLINE_EXCEEDED, or the reason of the signal. */
  ask(asked: Asked, question: Question, stop: StopSignal): Promise<Reply>
  /** Takes a client's response. One that answers no open question of its session is passed over. */
  take(session: string, response: JsonRpcResponse): void
  /** Gives up all that are open, and asks nothing any more: answers come as requests, which a server that stops takes none of. */
  close(): void
}

const openMax = { session: 32, all: 1_000 }
/** A person may take this long to answer. */
const answerMs = 10 * 60_000

interface Open {
  readonly session: string
  settle(response: JsonRpcResponse): void
  giveUp(reason: WeirError): void
}

/** Ids are random, so that no client can answer what another was asked. */
export function createClientQuestions(clock: Clock): ClientQuestions {
  const open = new Map<RequestId, Open>()
  let isClosed = false

  const refuseOverflow = (session: string) => {
    let own = 0
    for (const one of open.values()) if (one.session === session) own += 1
    if (open.size < openMax.all && own < openMax.session) return
    throw new WeirError('OVERLOADED', 'Too many questions wait for their clients’ answers.', {
      hint: 'Answer those that are open, or try again later.',
    })
  }

  return {
    async ask({ session, send }, { method, params }, stop) {
      if (isClosed) throw stopping()
      refuseOverflow(session)
      if (stop.aborted) throw stop.reason
      const id = randomBytes(18).toString('base64url')
      return new Promise<Reply>((resolve, reject) => {
        const close = () => {
          open.delete(id)
          timer.cancel()
          stop.removeEventListener('abort', abort)
        }
        const giveUp = (reason: WeirError) => {
          close()
          send(renderNotification('notifications/cancelled', { requestId: id, reason: reason.message }))
          reject(reason)
        }
        const abort = () => giveUp(toWeirError(stop.reason))
        const timer = clock.setTimer(() => giveUp(unanswered(method)), answerMs)
        const settle = (response: JsonRpcResponse) => {
          close()
          resolve('error' in response ? new InputRefused(method, response.error) : response.result)
        }
        open.set(id, { session, settle, giveUp })
        stop.addEventListener('abort', abort, { once: true })
        if (!send(renderRequest(id, method, params))) giveUp(unread(method))
      })
    },
    take(session, response) {
      const question = response.id === undefined ? undefined : open.get(response.id)
      if (question?.session === session) question.settle(response)
    },
    close() {
      isClosed = true
      for (const question of [...open.values()]) question.giveUp(stopping())
    },
  }
}

function unanswered(method: string): WeirError {
  return new WeirError('DEADLINE_EXCEEDED', `The client did not answer ${method} within ${answerMs} ms.`, {
    hint: 'Call the tool again, and answer its question in time.',
  })
}

function stopping(): WeirError {
  return new WeirError('SHUTTING_DOWN', 'Weir is stopping, and can take no answer to a question.')
}

function unread(method: string): WeirError {
  return new WeirError('OVERLOADED', `The client reads too slowly to be asked ${method}.`)
}
