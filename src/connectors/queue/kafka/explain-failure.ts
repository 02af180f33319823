import { WeirError } from '../../../core/error.ts'
import { type BrokerName, createBrokerError, createUnavailable } from '../broker-errors.ts'
import type { KafkaDriver } from './kafka-link.ts'

/** Kafka's own errors that do not pass by themselves. */
const refusals: ReadonlyMap<string, readonly [what: string, hint: string]> = new Map([
  ['UNKNOWN_TOPIC_OR_PARTITION', ['has no such topic', 'Create it.']],
  ['INVALID_TOPIC_EXCEPTION', ['can have no topic of this name', 'Use another name.']],
  ['TOPIC_AUTHORIZATION_FAILED', ['refuses access to the topic', 'The user needs more rights.']],
  ['GROUP_AUTHORIZATION_FAILED', ['refuses access to the group', 'The user needs more rights.']],
  ['CLUSTER_AUTHORIZATION_FAILED', ['refuses access', 'The user needs more rights.']],
  ['MESSAGE_TOO_LARGE', ['takes no message as large as this', 'Put what is large elsewhere.']],
])

/** What the driver or Kafka said of a request, as one of Weir's errors. Nothing of Kafka's own text is shown. */
export function explainFailure(
  driver: KafkaDriver,
  broker: BrokerName,
  thrown: unknown,
  sent: boolean,
): WeirError {
  if (thrown instanceof WeirError) return thrown
  const failure = thrown as Error
  for (const [id, [what, hint]] of refusals) {
    if (driver.findErrorBy(failure, 'apiId', id) !== null)
      return createBrokerError(broker, `${what} (${id})`, { hint, cause: thrown })
  }
  const isRefused = driver.findErrorBy(failure, 'code', 'PLT_KFK_AUTHENTICATION') !== null
  const what = isRefused ? 'refuses the credentials' : 'is not reachable'
  return createUnavailable(broker, what, { sent: sent && !isRefused, cause: thrown })
}
