import type { Consumer, Message, MessagesStream } from '@platformatic/kafka'
import type { StopSignal } from '../../../core/cancellation.ts'
import type { Clock } from '../../../core/clock.ts'
import type { WeirError } from '../../../core/error.ts'
import type { KafkaLink } from './kafka-link.ts'
import { Offsets, type Passing } from './offsets.ts'

/** A message as it was taken. `epoch` tells under which dealing out of the partitions. */
export interface Entry extends Passing {
  readonly message: Message
  readonly epoch: number
}

/** One topic, read by a member of the group for as long as somebody needs it. */
export class Feed {
  readonly queue: string
  readonly #link: KafkaLink
  readonly #clock: Clock
  readonly #consumer: Consumer
  readonly #stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>
  readonly #offsets = new Offsets<Entry>()
  /** Taken for receivers that had left. */
  readonly #returned: Entry[] = []
  readonly #wakes = new Set<() => void>()
  #failure: WeirError | undefined
  #epoch = 0
  users = 0

  constructor(
    queue: string,
    link: KafkaLink,
    clock: Clock,
    consumer: Consumer,
    stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>,
    onDead: (feed: Feed) => void,
  ) {
    this.queue = queue
    this.#link = link
    this.#clock = clock
    this.#consumer = consumer
    this.#stream = stream
    stream.on('readable', () => this.#wake())
    const die = (thrown: unknown) => {
      if (this.#failure !== undefined) return
      this.#failure = link.explain(thrown)
      this.#wake()
      onDead(this)
    }
    stream.on('error', die)
    stream.on('close', () => die(new Error('The stream ended.')))
    consumer.on('consumer:heartbeat:error', ({ error }) => die(error))
    consumer.on('consumer:group:join', () => this.#restart())
  }

  /** Whether everything that was taken will be delivered again. */
  get isDead(): boolean {
    return this.#failure !== undefined
  }

  /** The next message that Kafka has sent already. Throws why the feed is dead, where it is. */
  take(): Entry | undefined {
    if (this.#failure !== undefined) throw this.#failure
    const returned = this.#returned.shift()
    if (returned !== undefined) return returned
    for (;;) {
      const message = this.#stream.read() as Message | null
      if (message === null) return undefined
      const { partition, offset } = message
      const entry: Entry = { message, partition, offset, epoch: this.#epoch, isDone: false }
      if (this.#offsets.add(entry)) return entry
    }
  }

  /** To the front, as if it had not been taken. */
  untake(entry: Entry): void {
    if (entry.epoch !== this.#epoch) return
    this.#returned.unshift(entry)
    this.#wake()
  }

  /** Whether the message is still this member's. */
  holds({ epoch }: Entry): boolean {
    return !this.isDead && epoch === this.#epoch
  }

  /** Done with it: Kafka is told as soon as everything before it is done with too. */
  async finish(entry: Entry): Promise<void> {
    const offset = this.#offsets.finish(entry)
    if (offset === undefined) return
    const { topic, partition, leaderEpoch } = entry.message
    await this.#link.ask(this.#consumer.commit({ offsets: [{ topic, partition, offset, leaderEpoch }] }))
  }

  /** Resolves when something may have come, or the time is up. Rejects with the stop signal's own reason. */
  wait(untilMs: number, stop: StopSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void) => {
        timer.cancel()
        unlisten()
        stop.removeEventListener('abort', onStop)
        this.#wakes.delete(wake)
        settle()
      }
      const wake = () => leave(resolve)
      const onStop = () => leave(() => reject(stop.reason))
      const unlisten = this.#link.state.onEnd((failure) => leave(() => reject(failure)))
      const timer = this.#clock.setTimer(wake, Math.max(0, untilMs - this.#clock.monotonicMs()))
      this.#wakes.add(wake)
      stop.addEventListener('abort', onStop)
    })
  }

  /** Partitions were dealt out anew: what was taken is read again from what was committed. */
  #restart(): void {
    this.#epoch += 1
    this.#offsets.clear()
    this.#returned.length = 0
    while (this.#stream.read() !== null);
  }

  #wake(): void {
    for (const wake of [...this.#wakes]) wake()
  }
}
