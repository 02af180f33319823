import { WeirError } from '../../core/error.ts'

/** Which broker a failure is about: its configured name, and its kind in words. */
export interface BrokerName {
  readonly name: string
  readonly title: string
}

/** As people read it: `The broker "default" (Redis)`. */
export function describeBrokerName({ name, title }: BrokerName): string {
  return `The broker ${JSON.stringify(name)} (${title})`
}

/** The broker is down or does not answer. `sent: false` only where it is certain that nothing left (R3). */
export function createUnavailable(
  broker: BrokerName,
  what: string,
  { sent, cause }: { readonly sent: boolean; readonly cause?: unknown },
): WeirError {
  return new WeirError('BROKER_UNAVAILABLE', `${describeBrokerName(broker)} ${what}.`, {
    hint: sent
      ? 'The broker may have taken the request; look before you repeat it.'
      : 'Try again in a moment; Weir reconnects by itself.',
    data: { connection: broker.name, sent },
    cause,
  })
}

/** The broker answered, and refused. */
export function createBrokerError(
  broker: BrokerName,
  what: string,
  { hint, cause }: { readonly hint?: string; readonly cause?: unknown } = {},
): WeirError {
  return new WeirError('BROKER_ERROR', `${describeBrokerName(broker)} ${what}.`, {
    ...(hint === undefined ? {} : { hint }),
    data: { connection: broker.name },
    cause,
  })
}

/** The same words for a lease that ended, one that never was, and one of somebody else (S5). */
export function createLeaseLost(queue: string): WeirError {
  return new WeirError('LEASE_LOST', `No such lease is held on the queue ${JSON.stringify(queue)}.`, {
    hint: 'It was settled, or its time ran out and the message is delivered again. Receive anew.',
    data: { queue },
  })
}
