import type { Caller } from '../../core/caller.ts'
import type { Connection } from '../../core/connector.ts'
import { type ErrorCode, WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { isTool } from '../../core/tool.ts'
import { createEgress } from '../../egress/create-egress.ts'
import { createQueueConnector } from './queue.ts'

/** The connector, as tests have it. */
export const queue = createQueueConnector({ egress: createEgress({ log: silentLogger }), hostEnv: {} })

/** A message as queue_receive shows it. */
export interface ReceivedMessage {
  readonly id: string | null
  readonly payload: Readonly<Record<string, unknown>>
  readonly priority: number
  readonly timestamp: number | null
  readonly attempts: number
  readonly lease: string
}

/** How a call is made: by ada of the tenant `test`, and without an end, unless something else is said. */
export interface CallOptions {
  readonly caller?: Caller
  readonly signal?: AbortSignal
  readonly deadlineMs?: number
}

const ada: Caller = { subject: 'test:ada', tenant: 'test' }

/** For tests: a connection with one broker, `main`, and its tools in short. */
export class OpenQueue {
  readonly connection: Connection
  readonly brokerName: string

  constructor(connection: Connection, brokerName = 'main') {
    this.connection = connection
    this.brokerName = brokerName
  }

  /** A tool's structured result; `connection` is given for it. */
  async call<T = Readonly<Record<string, unknown>>>(
    name: string,
    input: object,
    options: CallOptions = {},
  ): Promise<T> {
    const tool = this.connection
      .targets()
      .filter(isTool)
      .find((target) => target.name === name)
    if (tool === undefined) throw new Error(`no tool ${name}`)
    const signal = options.signal ?? new AbortController().signal
    const result = await tool.run(
      { connection: this.brokerName, ...input },
      {
        signal,
        stop: signal,
        deadlineMs: options.deadlineMs ?? Number.POSITIVE_INFINITY,
        caller: options.caller ?? ada,
        wantsProgress: false,
        emit() {},
      },
    )
    return (result as { structuredContent: T }).structuredContent
  }

  send(
    queueName: string,
    message: object,
    more: object = {},
  ): Promise<{ message_id: string; delayed: boolean }> {
    return this.call('queue_send', { queue_name: queueName, message, ...more })
  }

  async receive(queueName: string, more: object = {}, options: CallOptions = {}): Promise<ReceivedMessage[]> {
    const input = { queue_name: queueName, ...more }
    return (await this.call<{ messages: ReceivedMessage[] }>('queue_receive', input, options)).messages
  }

  /** The one message that has to come within ten seconds. */
  async receiveOne(queueName: string, options: CallOptions = {}): Promise<ReceivedMessage> {
    const [message] = await this.receive(queueName, { timeout: 10 }, options)
    if (message === undefined) throw new Error(`nothing came from ${queueName}`)
    return message
  }

  /** Receives and acknowledges until `count` messages came. */
  async drain(queueName: string, count: number): Promise<ReceivedMessage[]> {
    const all: ReceivedMessage[] = []
    while (all.length < count) {
      const some = await this.receive(queueName, { count: 10, timeout: 10 })
      if (some.length === 0) throw new Error(`only ${all.length} of ${count} messages came`)
      await Promise.all(some.map((message) => this.ack(queueName, message)))
      all.push(...some)
    }
    return all
  }

  ack(queueName: string, { lease }: { readonly lease: string }, options: CallOptions = {}): Promise<unknown> {
    return this.call('queue_ack', { queue_name: queueName, lease }, options)
  }

  nack(
    queueName: string,
    { lease }: { readonly lease: string },
    more: object = {},
  ): Promise<{ outcome: string }> {
    return this.call('queue_nack', { queue_name: queueName, lease, ...more })
  }

  check(): Promise<void> {
    return this.connection.check(new AbortController().signal)
  }

  close(): Promise<void> {
    return this.connection.close()
  }
}

/** What tests number their messages by: `{ n: 1 }`. */
export function numbersOf(messages: readonly ReceivedMessage[]): unknown[] {
  return messages.map(({ payload }) => payload['n'])
}

/** Opens a connection with this one broker. */
export async function openQueue(broker: object): Promise<OpenQueue> {
  return new OpenQueue(
    await queue.open(queue.config.parse({ brokers: { main: broker } }), {
      name: 'queue',
      baseDir: import.meta.dirname,
      log: silentLogger,
      signal: new AbortController().signal,
    }),
  )
}

/** The WeirError that a call fails with; whatever else happens fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<WeirError> {
  try {
    await call
  } catch (thrown) {
    if (thrown instanceof WeirError) return thrown
    throw thrown
  }
  throw new Error('the call did not fail')
}

/** Its code alone. */
export async function codeOf(call: Promise<unknown>): Promise<ErrorCode> {
  return (await failureOf(call)).code
}

/** Tries until it succeeds, for at most fifteen seconds. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const untilMs = performance.now() + 15_000
  for (;;) {
    try {
      return await attempt()
    } catch (thrown) {
      if (performance.now() > untilMs) throw thrown
      await pause(50)
    }
  }
}

/** Lets real time pass, where the world outside has to do something. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
