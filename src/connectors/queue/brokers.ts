import { WeirError } from '../../core/error.ts'
import { compileGlobs } from '../../core/glob.ts'
import type { Broker, BrokerCapabilities, BrokerKind } from './broker.ts'
import { describeBrokerName } from './broker-errors.ts'
import type { NamedBrokerConfig } from './config.ts'

/** How many receivers may wait at one broker at the same time. */
export const receiversMax = 256

/** One broker under its configured name, with what the configuration lets callers do with it. */
export class NamedBroker {
  readonly name: string
  readonly broker: Broker
  readonly config: NamedBrokerConfig
  readonly #kind: BrokerKind
  readonly #mayUse: { readonly queue: (name: string) => boolean; readonly topic: (name: string) => boolean }
  #receivers = 0

  constructor(name: string, broker: Broker, kind: BrokerKind, config: NamedBrokerConfig) {
    this.name = name
    this.broker = broker
    this.config = config
    this.#kind = kind
    this.#mayUse = {
      queue: compileGlobs(config.queues ?? ['*']),
      topic: compileGlobs(config.topics ?? ['*']),
    }
  }

  get capabilities(): BrokerCapabilities {
    return this.#kind.capabilities
  }

  /** Throws QUEUE_NOT_ALLOWED or, for a name that this kind cannot have, INVALID_INPUT. */
  requireQueue(queue: string, use: 'send' | 'receive'): void {
    this.#requireUse(use)
    if (!this.#mayUse.queue(queue))
      throw this.#refuse(`does not serve the queue ${JSON.stringify(queue)}`, 'queues')
    this.#requireName(queue, 'queue')
  }

  /** Throws QUEUE_NOT_ALLOWED or INVALID_INPUT. */
  requireTopic(topic: string): void {
    this.#requireUse('send')
    if (!this.#mayUse.topic(topic))
      throw this.#refuse(`does not serve the topic ${JSON.stringify(topic)}`, 'topics')
    this.#requireName(topic, 'topic')
  }

  /** Throws QUEUE_UNSUPPORTED, which names broker and feature. */
  requireFeature(isThere: boolean, feature: string): void {
    if (isThere) return
    const message = `${this.#describe()} has no ${feature}.`
    throw new WeirError('QUEUE_UNSUPPORTED', message, {
      hint: 'Leave it out, or use a broker of another kind.',
      data: { connection: this.name, kind: this.#kind.title, feature },
    })
  }

  /** Delays beyond what the broker has are refused, and never cut short. */
  requireDelay(delayMs: number, delayMsMax: number, feature: string): void {
    if (delayMs === 0) return
    this.requireFeature(delayMsMax > 0, feature)
    this.requireFeature(delayMs <= delayMsMax, `${feature} longer than ${delayMsMax / 1000} s`)
  }

  /** Throws MESSAGE_TOO_LARGE. */
  requireSize(json: string): void {
    const bytesMax = this.config.messageBytesMax
    const bytes = Buffer.byteLength(json)
    if (bytes <= bytesMax) return
    throw new WeirError(
      'MESSAGE_TOO_LARGE',
      `The message takes ${bytes} bytes; at most ${bytesMax} are allowed.`,
      {
        hint: 'Put what is large elsewhere and send where it is.',
        data: { connection: this.name, bytes, bytesMax },
      },
    )
  }

  /** Counts one receiver while it waits. Throws OVERLOADED where as many wait as may. */
  async whileReceiving<T>(receive: () => Promise<T>): Promise<T> {
    if (this.#receivers >= receiversMax) {
      throw new WeirError(
        'OVERLOADED',
        `${receiversMax} receivers wait at ${JSON.stringify(this.name)} already.`,
        {
          hint: 'Try again when some of them have got their messages.',
          data: { connection: this.name, receiversMax },
        },
      )
    }
    this.#receivers += 1
    try {
      return await receive()
    } finally {
      this.#receivers -= 1
    }
  }

  #requireUse(use: 'send' | 'receive'): void {
    if (!this.config[use]) throw this.#refuse(`is not there to ${use}`, use)
  }

  #requireName(name: string, use: 'queue' | 'topic'): void {
    const problem = this.#kind.problemOfName?.(name, use)
    if (problem === undefined) return
    const message = `${this.#describe()} can have no ${use} ${JSON.stringify(name)}: ${problem}.`
    throw new WeirError('INVALID_INPUT', message, { data: { connection: this.name, [use]: name } })
  }

  #refuse(what: string, key: string): WeirError {
    return new WeirError('QUEUE_NOT_ALLOWED', `${this.#describe()} ${what}.`, {
      hint: `Whoever runs Weir sets \`brokers.${this.name}.${key}\`.`,
      data: { connection: this.name },
    })
  }

  #describe(): string {
    return describeBrokerName({ name: this.name, title: this.#kind.title })
  }
}

/** A connection's brokers by name. An unknown name is an error and never another broker (B-23, C-25). */
export class Brokers {
  readonly #open: ReadonlyMap<string, NamedBroker>

  constructor(open: ReadonlyMap<string, NamedBroker>) {
    this.#open = open
  }

  get(name: string): NamedBroker {
    const broker = this.#open.get(name)
    if (broker !== undefined) return broker
    const known = [...this.#open.keys()]
    throw new WeirError('UNKNOWN_BROKER', `There is no broker ${JSON.stringify(name)} here.`, {
      hint: `Use one of: ${known.join(', ')}.`,
      data: { connections: known },
    })
  }

  entries(): NamedBroker[] {
    return [...this.#open.values()]
  }

  async close(): Promise<void> {
    await Promise.all(this.entries().map(({ broker }) => broker.close()))
  }
}
