import { WeirError } from '../../../core/error.ts'
import { type BrokerName, createBrokerError, createUnavailable } from '../broker-errors.ts'

/** JetStream's own error codes, as far as they say more than that it did not work. */
const refusals: ReadonlyMap<number, readonly [what: string, hint: string]> = new Map([
  [10039, ['has no JetStream for this account', 'Queues need JetStream: start the server with `-js`.']],
  [10047, ['has no room left for another stream', 'Raise the limits of the account.']],
  [
    10058,
    [
      'has a stream of this name already, with other properties than Weir gives it',
      'Use another name, or set `nats.declare: false` to use streams as they are.',
    ],
  ],
  [10059, ['has no such stream', 'Make it, or let Weir do so.']],
  [10060, ['keeps what is sent to this subject in another stream', 'Use another name, or free the subject.']],
  [10065, ['has another stream that takes this subject', 'Use another name, or free the subject.']],
  [10100, ['has a stream of this name that other consumers read', 'Use another name.']],
])
const fullCode = 10077

/** What the driver or the server said of a request, as one of Weir's errors. Nothing of the server's text is shown. */
export function explainFailure(broker: BrokerName, thrown: unknown): WeirError {
  if (thrown instanceof WeirError) return thrown
  const { code, name } = thrown as Error & { readonly code?: unknown }
  if (code === fullCode) {
    return new WeirError('OVERLOADED', 'The queue holds as many messages as it may.', {
      hint: 'Try again when its receivers have caught up.',
      data: { connection: broker.name, sent: false },
      cause: thrown,
    })
  }
  const refusal = typeof code === 'number' ? refusals.get(code) : undefined
  if (refusal !== undefined) return createBrokerError(broker, refusal[0], { hint: refusal[1], cause: thrown })
  if (name === 'JetStreamNotEnabled') {
    const hint = 'Queues need JetStream: start the server with `-js`.'
    return createBrokerError(broker, 'has no JetStream, or no such stream', { hint, cause: thrown })
  }
  if (name === 'PermissionViolationError') {
    return createBrokerError(broker, 'refuses access', { hint: 'The user needs more rights.', cause: thrown })
  }
  if (typeof code === 'number')
    return createBrokerError(broker, `refused the request (${code})`, { cause: thrown })
  return createUnavailable(broker, describeDown(thrown), { sent: true, cause: thrown })
}

/** Why there is no connection, in a few words. */
export function describeDown(thrown: unknown): string {
  const { name, cause, code } = (thrown ?? {}) as Error & { readonly code?: unknown }
  if (name === 'AuthorizationError' || name === 'UserAuthenticationExpiredError') {
    return 'refuses the credentials'
  }
  const inner = (cause ?? {}) as { readonly code?: unknown }
  const why = typeof code === 'string' ? code : inner.code
  return typeof why === 'string' ? `is not reachable (${why})` : 'is not reachable'
}
