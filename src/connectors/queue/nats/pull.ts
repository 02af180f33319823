import type { Msg, NatsConnection } from '@nats-io/transport-node'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { Clock } from '../../../core/clock.ts'
import { createBrokerError, createUnavailable } from '../broker-errors.ts'
import type { NatsLink } from './nats-link.ts'
import { consumerName } from './streams.ts'

const nanosPerMs = 1_000_000
const answerTimeoutMs = 5000

/** What is asked of a queue: what is there now, or to wait for the first message. */
export interface PullRequest {
  readonly queue: string
  readonly batch: number
  readonly bytesMax?: number
  /** 0: only what is there. */
  readonly waitMs: number
  readonly stop: StopSignal
  /** Gets each message that comes although nobody waits for it any more. */
  onLate(message: Msg): void
}

/** Asks a queue's consumer once. Every message that NATS sends for it is answered with, or handed to `onLate`. */
export function pull(
  link: NatsLink,
  connection: NatsConnection,
  clock: Clock,
  request: PullRequest,
): Promise<readonly Msg[]> {
  const { stop, batch, waitMs, onLate } = request
  const { broker } = link.state
  return new Promise((resolve, reject) => {
    const got: Msg[] = []
    let isOver = false
    const end = (settle: () => void, isComplete: boolean) => {
      if (isOver) return
      isOver = true
      timer.cancel()
      unlisten()
      stop.removeEventListener('abort', onStop)
      if (isComplete) subscription.unsubscribe()
      // Takes what is under way already.
      else if (!connection.isClosed()) subscription.drain().catch(() => {})
      settle()
    }
    const fail = (failure: unknown) =>
      end(() => {
        for (const message of got) onLate(message)
        reject(failure)
      }, false)
    const onStop = () => fail(stop.reason)
    const unlisten = link.state.onEnd(fail)
    const timer = clock.setTimer(() => {
      fail(createUnavailable(broker, `did not answer within ${answerTimeoutMs / 1000} s`, { sent: true }))
      link.drop()
    }, waitMs + answerTimeoutMs)
    const onMessage = (message: Msg) => {
      const status = link.driver.jetstream.JetStreamStatus.maybeParseStatus(message)
      if (isOver) return status === null ? onLate(message) : undefined
      if (status === null) {
        got.push(message)
        if (got.length >= batch) end(() => resolve(got), true)
      } else if (isEnd(status)) end(() => resolve(got), true)
      else fail(createBrokerError(broker, `refused to deliver (${status.code})`))
    }
    const inbox = link.driver.transport.createInbox()
    const subscription = connection.subscribe(inbox, {
      callback: (failure, message) => (failure === null ? onMessage(message) : fail(failure)),
    })
    stop.addEventListener('abort', onStop)
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${request.queue}.${consumerName}`, renderBody(request), {
      reply: inbox,
    })
  })
}

/** Nothing there, the time is up, or the next one would be more than `bytesMax`. */
function isEnd(status: {
  readonly code: number
  isMessageSizeExceedsMaxBytes(): boolean
  isEndOfBatch(): boolean
}): boolean {
  const { code } = status
  return code === 404 || code === 408 || status.isMessageSizeExceedsMaxBytes() || status.isEndOfBatch()
}

function renderBody({ batch, bytesMax, waitMs }: PullRequest): string {
  const patience = waitMs > 0 ? { expires: Math.ceil(waitMs) * nanosPerMs } : { no_wait: true }
  return JSON.stringify({ batch, ...(bytesMax === undefined ? {} : { max_bytes: bytesMax }), ...patience })
}
