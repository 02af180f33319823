import type { StopSignal } from '../../../core/cancellation.ts'
import { createBrokerError } from '../broker-errors.ts'
import { refusalOf, type SqsLink } from './sqs-link.ts'

/** URLs at hand; one more makes room by dropping the one that came first. */
const urlsMax = 1_000

/** The URLs of queues by name, each asked for once. */
export class SqsQueues {
  readonly #link: SqsLink
  readonly #mayCreate: boolean
  readonly #urls = new Map<string, Promise<string>>()

  constructor(link: SqsLink, mayCreate: boolean) {
    this.#link = link
    this.#mayCreate = mayCreate
  }

  /** A request about one queue. Rejects with BROKER_ERROR where that is not there. */
  async ask<T>(
    queue: string,
    request: (client: Parameters<Parameters<SqsLink['ask']>[0]>[0], url: string) => Promise<T>,
    stop?: StopSignal,
  ): Promise<T> {
    const url = this.#find(queue)
    return await this.#link
      .ask(async (client) => await request(client, await url), stop)
      .catch((thrown) => {
        if (!isMissing(thrown)) throw thrown
        // It may be made, or made anew, at any time.
        this.#urls.delete(queue)
        throw createBrokerError(this.#link.name, `has no queue ${JSON.stringify(queue)}`, {
          hint: 'Create it, or set `sqs.declare` so that Weir does.',
          cause: thrown,
        })
      })
  }

  #find(queue: string): Promise<string> {
    const known = this.#urls.get(queue)
    if (known !== undefined) return known
    const asked = this.#resolve(queue)
    this.#urls.set(queue, asked)
    asked.catch(() => this.#urls.delete(queue))
    const [oldest] = this.#urls.size > urlsMax ? this.#urls.keys() : []
    if (oldest !== undefined) this.#urls.delete(oldest)
    return asked
  }

  async #resolve(queue: string): Promise<string> {
    try {
      const { QueueUrl } = await this.#link.ask((client) => client.getQueueUrl({ QueueName: queue }))
      return QueueUrl ?? ''
    } catch (thrown) {
      if (!this.#mayCreate || !isMissing(thrown)) throw thrown
      const Attributes = isFifo(queue) ? { FifoQueue: 'true' } : {}
      const { QueueUrl } = await this.#link.ask((client) =>
        client.createQueue({ QueueName: queue, Attributes }),
      )
      return QueueUrl ?? ''
    }
  }
}

/** Whether a queue keeps its order, by its name, as AWS has it. */
export function isFifo(queue: string): boolean {
  return queue.endsWith('.fifo')
}

function isMissing(thrown: unknown): boolean {
  return /QueueDoesNotExist|NonExistentQueue/.test(refusalOf(thrown) ?? '')
}
