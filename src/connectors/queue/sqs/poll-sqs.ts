import type { Message } from '@aws-sdk/client-sqs'
import type { Clock } from '../../../core/clock.ts'
import type { ReceiveRequest } from '../broker.ts'

/** SQS gives out no more at a time. */
const batchMax = 10
/** SQS would wait for twenty; a receiver that leaves must not keep a poll that takes messages from others. */
const waitSecondsMax = 5

/** One question: at most so many, and how long SQS waits for the first. */
export interface PollRequest {
  readonly count: number
  readonly waitSeconds: number
}

type Poll = (request: PollRequest) => Promise<readonly Message[]>

/** What is polled for, and until when. */
export interface PollBounds extends Pick<ReceiveRequest, 'count' | 'bytesMax' | 'untilMs' | 'stop'> {
  readonly clock: Clock
}

/** Messages that are there, else the first that come in time, else none. What is too much for the answer is given back. */
export async function pollSqs(
  poll: Poll,
  giveBack: (messages: readonly Message[]) => void,
  bounds: PollBounds,
): Promise<readonly Message[]> {
  const all = [...(await pollFirst(poll, bounds))]
  await pollMore(poll, all, bounds).catch((thrown: unknown) => {
    giveBack(all)
    throw thrown
  })
  const fitting = countFitting(all, bounds.bytesMax)
  giveBack(all.slice(fitting))
  return all.slice(0, fitting)
}

async function pollFirst(poll: Poll, bounds: PollBounds): Promise<readonly Message[]> {
  const { clock, untilMs } = bounds
  const count = Math.min(batchMax, bounds.count)
  for (let isFirst = true; ; isFirst = false) {
    const leftMs = untilMs - clock.monotonicMs()
    if (!isFirst && leftMs <= 0) return []
    const waitSeconds = Math.max(0, Math.min(waitSecondsMax, Math.floor(leftMs / 1000)))
    // SQS knows whole seconds only.
    if (!isFirst && waitSeconds === 0) await pause(leftMs, bounds)
    const messages = await poll({ count, waitSeconds })
    if (messages.length > 0) return messages
  }
}

/** Adds to `all` while SQS gives out as many as it can. What was added before it fails stays there, to be given back. */
async function pollMore(poll: Poll, all: Message[], { count }: PollBounds): Promise<void> {
  for (let last = all.length; last === batchMax && all.length < count; ) {
    const more = await poll({ count: Math.min(batchMax, count - all.length), waitSeconds: 0 })
    all.push(...more)
    last = more.length
  }
}

/** At least one, however large. */
function countFitting(messages: readonly Message[], bytesMax: number): number {
  let bytes = 0
  const over = messages.findIndex(({ Body = '' }, at) => {
    bytes += Buffer.byteLength(Body)
    return at > 0 && bytes > bytesMax
  })
  return over === -1 ? messages.length : over
}

function pause(delayMs: number, { clock, stop }: PollBounds): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      timer.cancel()
      reject(stop.reason)
    }
    const timer = clock.setTimer(() => {
      stop.removeEventListener('abort', leave)
      resolve()
    }, delayMs)
    stop.addEventListener('abort', leave, { once: true })
  })
}
