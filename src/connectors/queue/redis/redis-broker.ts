import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import type {
  Broker,
  BrokerConfig,
  BrokerContext,
  Delivery,
  HeldLease,
  OutgoingEvent,
  OutgoingMessage,
  ReceiveRequest,
  Return,
  ReturnOutcome,
} from '../broker.ts'
import { createLeaseLost } from '../broker-errors.ts'
import { createLeaseToken } from '../lease-table.ts'
import { DueTimer } from './due-timer.ts'
import type { RedisLink } from './redis-link.ts'
import type { RedisOptions } from './redis-options.ts'
import { scripts } from './scripts.ts'
import { WaitingLine } from './waiting-line.ts'

/** Queues in Redis (D0-075, D0-076). Leases are kept there too, so they outlive Weir, and any Weir can end them. */
export class RedisBroker implements Broker {
  readonly #link: RedisLink
  readonly #config: BrokerConfig
  readonly #options: RedisOptions
  readonly #context: BrokerContext
  readonly #dueTimer: DueTimer
  /** One line for each queue that somebody waits at; it goes when the last one has left. */
  readonly #lines = new Map<string, WaitingLine<Delivery>>()

  constructor(link: RedisLink, config: BrokerConfig, context: BrokerContext) {
    this.#link = link
    this.#config = config
    this.#options = config.options as RedisOptions
    this.#context = context
    this.#dueTimer = new DueTimer(link, context)
  }

  async send(queue: string, { body, priority, delayMs }: OutgoingMessage, stop: StopSignal): Promise<void> {
    const { queueMessagesMax } = this.#options
    const values = [body, String(priority), String(delayMs), String(queueMessagesMax)]
    const reply = await this.#link.run(scripts.send, [queue], values, stop)
    if (reply === 0) throw this.#renderFull(queue)
    if (delayMs > 0) this.#dueTimer.expect(delayMs)
    else this.#lines.get(queue)?.poke()
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const there = await this.#take(request)
    const { untilMs, stop, queue } = request
    if (there.length > 0 || untilMs <= this.#context.clock.monotonicMs()) return there
    const line = this.#lines.get(queue) ?? new WaitingLine<Delivery>(this.#context.clock)
    this.#lines.set(queue, line)
    try {
      return await line.wait({ untilMs, stop, take: () => this.#take(request) })
    } finally {
      if (line.isEmpty && this.#lines.get(queue) === line) this.#lines.delete(queue)
    }
  }

  async ack(held: HeldLease, stop: StopSignal): Promise<void> {
    await this.#settle(held, 'ack', 0, stop)
  }

  async nack(held: HeldLease, { requeue, delayMs }: Return, stop: StopSignal): Promise<ReturnOutcome> {
    const outcome = await this.#settle(held, requeue ? 'requeue' : 'dead', delayMs, stop)
    if (outcome === 'delayed') this.#dueTimer.expect(delayMs)
    if (outcome === 'requeued') this.#lines.get(held.queue)?.poke()
    return outcome as ReturnOutcome
  }

  /** A stream, so that whoever follows the topic may be late, or away for a while, and misses nothing (D0-091). */
  async publish(topic: string, { id, body, routingKey }: OutgoingEvent, stop: StopSignal): Promise<string> {
    const trim = ['MAXLEN', '~', String(this.#options.eventsMax)]
    const fields = ['id', id, 'event', body, ...(routingKey === undefined ? [] : ['routing_key', routingKey])]
    const reply = await this.#link.command(['XADD', topic, ...trim, '*', ...fields], stop)
    return String(reply)
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#link.command(['PING'], signal)
    this.#dueTimer.start()
  }

  async close(): Promise<void> {
    this.#dueTimer.stop()
    this.#link.close()
    const reason = new WeirError('CONNECTION_UNAVAILABLE', 'The connection was closed.', {
      data: { sent: true },
    })
    for (const line of [...this.#lines.values()]) line.clear(reason)
  }

  #deadLetterOf(queue: string): string {
    return this.#config.deadLetter.replace('{queue}', () => queue)
  }

  /** Rejects at once when the receiver leaves. What Redis leased to it until then goes back, as if it had not been taken. */
  async #take(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const { queue, count, owner, bytesMax, stop } = request
    const tokens = Array.from({ length: count }, createLeaseToken)
    const limits = [String(this.#config.leaseMs), String(this.#config.attemptsMax), this.#deadLetterOf(queue)]
    const values = [...limits, owner, String(bytesMax), ...tokens]
    if (stop.aborted) throw stop.reason
    const taking = this.#link.run(scripts.take, [queue], values)
    const rows = await untilStopped(taking, stop, (late) => this.#untake(queue, owner, late))
    if (rows.length > 0) this.#dueTimer.expect(this.#config.leaseMs)
    else this.#dueTimer.start()
    return rows.map(renderDelivery)
  }

  /** Without it the messages come back too, when their leases end; so nothing has to wait for it. */
  #untake(queue: string, owner: string, rows: readonly Row[]): void {
    const tokens = rows.map(([token]) => String(token))
    if (tokens.length === 0) return
    const values = [
      'untake',
      owner,
      '0',
      String(this.#config.attemptsMax),
      this.#deadLetterOf(queue),
      ...tokens,
    ]
    this.#link.run(scripts.settle, [queue], values).then(
      () => this.#lines.get(queue)?.poke(),
      () => {},
    )
  }

  async #settle(
    { queue, lease, owner }: HeldLease,
    mode: string,
    delayMs: number,
    stop: StopSignal,
  ): Promise<string> {
    const outcome = String(
      await this.#link.run(scripts.settle, [queue], [mode, owner, String(delayMs), lease], stop),
    )
    if (outcome === '') throw createLeaseLost(queue)
    return outcome
  }

  #renderFull(queue: string): WeirError {
    const { queueMessagesMax } = this.#options
    return new WeirError(
      'OVERLOADED',
      `The queue ${JSON.stringify(queue)} holds ${queueMessagesMax} messages already.`,
      {
        hint: 'Try again when its receivers have caught up.',
        data: { connection: this.#context.name, queue, queueMessagesMax, sent: false },
      },
    )
  }
}

/** What `take` answers: token, attempts, level, body. */
type Row = readonly [token: Buffer, attempts: number, level: number, body: Buffer]

function renderDelivery([token, attempts, priority, body]: Row): Delivery {
  return { body, lease: String(token), attempts, priority }
}

function untilStopped(
  taking: Promise<unknown>,
  stop: StopSignal,
  onLate: (rows: readonly Row[]) => void,
): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    const onStop = () => {
      reject(stop.reason)
      taking.then(
        (rows) => onLate(rows as readonly Row[]),
        () => {},
      )
    }
    stop.addEventListener('abort', onStop)
    taking
      .then((rows) => resolve(rows as readonly Row[]), reject)
      .finally(() => stop.removeEventListener('abort', onStop))
  })
}
