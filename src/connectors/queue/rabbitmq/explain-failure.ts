import { WeirError } from '../../../core/error.ts'
import { type BrokerName, createBrokerError, createUnavailable } from '../broker-errors.ts'

/** AMQP's reply codes, as far as they say more than that it did not work. */
const refusals: ReadonlyMap<number, readonly [what: string, hint?: string]> = new Map([
  [403, ['refuses access (ACCESS_REFUSED)', 'The user needs more rights, or the name is RabbitMQ’s own.']],
  [404, ['has no such queue or exchange (NOT_FOUND)', 'Declare it, or let Weir do so.']],
  [405, ['keeps this queue for another connection (RESOURCE_LOCKED)']],
  [
    406,
    [
      'has it already, with other properties than Weir gives it (PRECONDITION_FAILED)',
      'Use another name, or set `rabbitmq.declare: false` to use queues and exchanges as they are.',
    ],
  ],
])

/** What the driver or RabbitMQ said of a request, as one of Weir's errors. Nothing of RabbitMQ's own text is shown. */
export function explainFailure(broker: BrokerName, thrown: unknown): WeirError {
  if (thrown instanceof WeirError) return thrown
  const { code } = thrown as { readonly code?: unknown }
  const refusal = typeof code === 'number' ? refusals.get(code) : undefined
  if (refusal === undefined) {
    return createUnavailable(broker, describeDown(thrown), { sent: true, cause: thrown })
  }
  const [what, hint] = refusal
  return createBrokerError(broker, what, { ...(hint === undefined ? {} : { hint }), cause: thrown })
}

/** Why there is no connection, in a few words. */
export function describeDown(thrown: unknown): string {
  const { code, message } = thrown as Error & { readonly code?: unknown }
  if (/^Handshake terminated by server: 403|ACCESS[-_]REFUSED/.test(message)) {
    return 'refuses the credentials (ACCESS_REFUSED)'
  }
  if (typeof code === 'number') return `refuses the connection (${code})`
  return typeof code === 'string' ? `is not reachable (${code})` : 'is not reachable'
}
