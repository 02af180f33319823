import type { ZodType } from 'zod'
import type { StopSignal } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Egress } from '../../egress/egress.ts'
import type { LeaseTable } from './lease-table.ts'

/**
 * What a kind of broker can do. The tools compare each call with it first, so that a broker is never asked for what it
 * lacks: the caller gets QUEUE_UNSUPPORTED, which names broker and feature.
 */
export interface BrokerCapabilities {
  /** The highest priority it sorts by; 0 where it sorts by none. */
  readonly priorityMax: number
  /** The longest delay of a message that is sent, in milliseconds; 0 where it has none. */
  readonly delayMsMax: number
  /** The longest delay of a message that is given back, in milliseconds; 0 where it has none. */
  readonly returnDelayMsMax: number
  /** Whether a message that failed too often, or that a consumer refuses, goes to a queue of dead letters. */
  readonly deadLetters: boolean
  /** Whether it takes events at all, and whether a routing key means anything to it. */
  readonly events: boolean
  readonly routingKeys: boolean
}

/** A message on its way out. It was held against the capabilities, the size cap and the allowed names already. */
export interface OutgoingMessage {
  /** The envelope's id: a UUID. */
  readonly id: string
  /** The envelope as JSON text (D0-074); what goes over the wire as it is. */
  readonly body: string
  readonly priority: number
  /** 0: at once. */
  readonly delayMs: number
}

/** An event on its way out. */
export interface OutgoingEvent {
  readonly id: string
  /** The event as JSON text, as the caller gave it. */
  readonly body: string
  readonly routingKey?: string
}

/** What is asked of a queue, and by whom. */
export interface ReceiveRequest {
  readonly queue: string
  /** At most this many messages; at least one is asked for. */
  readonly count: number
  /** The most bytes of bodies in one answer. One message alone may be larger than that only if the broker cannot know. */
  readonly bytesMax: number
  /** Whose the leases will be: opaque, the same for each call of one caller. */
  readonly owner: string
  /** Until when to wait for the first message, on the monotonic clock, milliseconds. In the past: look once. */
  readonly untilMs: number
  /** Aborted: nothing may be lost. What was taken meanwhile goes back, and that delivery counts as no attempt. */
  readonly stop: StopSignal
}

/** One message, leased to one caller: nobody else gets it until the lease ends. */
export interface Delivery {
  /** As it lies in the queue: an envelope, or whatever another program put there. */
  readonly body: Uint8Array
  /** What gives the message back or ends it: unguessable (128 random bits at least), and good for its owner only (S5). */
  readonly lease: string
  /** How often it was delivered, this time included: 1 at first. */
  readonly attempts: number
  /** The level it was taken from; 0 where the broker has no priorities. */
  readonly priority: number
  /** The broker's own id of it, for messages that have no envelope. */
  readonly id?: string
}

/** A lease as its holder shows it. One that ended, is unknown or another's is LEASE_LOST, all in the same words. */
export interface HeldLease {
  readonly queue: string
  readonly lease: string
  readonly owner: string
}

/** What becomes of a message that is given back. */
export interface Return {
  /** True: to the queue again, ahead of what waits there where the broker can. False: to the dead letters. */
  readonly requeue: boolean
  /** 0: at once. */
  readonly delayMs: number
}

/** Where a message that was given back went. One that had its last attempt goes to the dead letters, asked or not. */
export type ReturnOutcome = 'requeued' | 'delayed' | 'dead-lettered'

/**
 * One open broker. Every method rejects with a WeirError: BROKER_UNAVAILABLE while it is down (`sent: false` where
 * certain), and heals by itself when it comes back. A broker keeps leases itself (Redis), so that they outlive Weir, or
 * has them in the LeaseTable of its context (AMQP, Kafka, NATS, SQS), where they end with Weir or the broker's
 * connection; either way the message is delivered again.
 */
export interface Broker {
  /** Resolves once the broker has the message for good: durable as far as its own configuration goes. */
  send(queue: string, message: OutgoingMessage, stop: StopSignal): Promise<void>
  /**
   * Leases messages: those that are there, else the first that come before `untilMs`, else none. The oldest of the
   * highest priority first (B-20, B-22). Rejects with the stop signal's own reason.
   */
  receive(request: ReceiveRequest): Promise<readonly Delivery[]>
  /** Ends a message for good. */
  ack(held: HeldLease, stop: StopSignal): Promise<void>
  nack(held: HeldLease, back: Return, stop: StopSignal): Promise<ReturnOutcome>
  /** Resolves with the id that the broker has the event under. */
  publish(topic: string, event: OutgoingEvent, stop: StopSignal): Promise<string>
  /** Resolves if the broker answers; cheap. */
  check(signal: AbortSignal): Promise<void>
  /** Safe to call twice; leaves no socket and no timer. Receivers that wait are rejected with CONNECTION_UNAVAILABLE. */
  close(): Promise<void>
}

/** What all brokers are configured with, checked; `options` is what the kind's own schema gave, or its defaults. */
export interface BrokerConfig {
  readonly url: string
  readonly tls?: TlsOptions | undefined
  readonly leaseMs: number
  readonly attemptsMax: number
  /** The name of the queue of dead letters, with `{queue}` in it. */
  readonly deadLetter: string
  readonly messageBytesMax: number
  readonly options: unknown
}

/** What Node's TLS takes, in PEM. */
export interface TlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly serverName?: string | undefined
}

/** What a broker may use of the connection that it belongs to. */
export interface BrokerContext {
  /** Its configured name, for messages. */
  readonly name: string
  readonly log: Logger
  readonly clock: Clock
  /** The way out, for brokers that speak HTTP. */
  readonly egress: Egress
  /** Weir's environment, for credentials that the configuration says are there. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  /** Relative paths in the config resolve from here. */
  readonly baseDir: string
  /**
   * A bounded table of the leases that live in this process. `onExpire` gets each delivery whose lease ended unsettled, to
   * be given back.
   */
  createLeases<Handle>(onExpire: (handle: Handle) => void): LeaseTable<Handle>
}

/** A kind of broker: the one thing to write for another one, and one entry in `broker-kinds.ts`. */
export interface BrokerKind {
  /** The key its own options stand under in the config. */
  readonly key: string
  /** Its name in messages: `Redis`. */
  readonly title: string
  /** URL schemes, without the colon. */
  readonly schemes: readonly string[]
  readonly capabilities: BrokerCapabilities
  /** What can be set for this kind alone: a strict object whose fields have descriptions, and defaults unless a broker cannot do without. */
  readonly options?: ZodType
  /** What is wrong with the URL, as a sentence without any part that may be secret; undefined if nothing is. */
  problemOf(url: string): string | undefined
  /** Whether such a URL is reached by TLS; absent where `tls` may stand beside every URL of this kind. */
  isSecure?(url: string): boolean
  /** Why a queue or a topic cannot be called that; undefined if it can. Absent where all that the tools take will do. */
  problemOfName?(name: string, use: 'queue' | 'topic'): string | undefined
  /** Loads the driver. Needs no network: the broker connects when it is first used, or checked. */
  open(config: BrokerConfig, context: BrokerContext): Promise<Broker>
}
