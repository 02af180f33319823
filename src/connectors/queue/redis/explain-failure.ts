import { WeirError } from '../../../core/error.ts'
import { type BrokerName, createBrokerError, createUnavailable } from '../broker-errors.ts'

/** Refusals that pass: starting, failing over, full, saving impossible, a script running. */
const passing = new Set([
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'OOM',
  'MISCONF',
  'BUSY',
  'TRYAGAIN',
  'NOREPLICAS',
])
const credentials = new Set(['NOAUTH', 'WRONGPASS'])

/** What the driver or Redis itself said, as one of Weir's errors. Of Redis's text only its first word is shown. */
export function explainFailure(
  redis: typeof import('redis'),
  broker: BrokerName,
  thrown: unknown,
): WeirError {
  if (thrown instanceof redis.ErrorReply) return explainRefusal(broker, thrown)
  if (thrown instanceof redis.ClientOfflineError || thrown instanceof redis.ClientClosedError) {
    return createUnavailable(broker, 'is not reachable', { sent: false, cause: thrown })
  }
  const { message, code } = thrown as Error & { readonly code?: unknown }
  if (message === 'The queue is full') {
    return new WeirError('OVERLOADED', 'Too many commands are under way.', {
      data: { sent: false },
      cause: thrown,
    })
  }
  const why = typeof code === 'string' ? ` (${code})` : ''
  return createUnavailable(broker, `is not reachable${why}`, { sent: true, cause: thrown })
}

function explainRefusal(broker: BrokerName, refusal: Error): WeirError {
  // A script's own message may begin with ERR and name the word that matters later on.
  const word =
    /\b(?:WRONGTYPE|NOPERM|OOM|READONLY|MISCONF)\b/.exec(refusal.message)?.[0] ?? firstWord(refusal.message)
  if (passing.has(word))
    return createUnavailable(broker, `refuses for now (${word})`, { sent: true, cause: refusal })
  if (credentials.has(word)) {
    return createUnavailable(broker, `refuses the credentials (${word})`, { sent: false, cause: refusal })
  }
  if (word === 'WRONGTYPE') {
    return createBrokerError(
      broker,
      'holds something other than a queue or stream under this name (WRONGTYPE)',
      {
        hint: 'Use another name; the key belongs to another program.',
        cause: refusal,
      },
    )
  }
  return createBrokerError(broker, `refused the request (${word})`, { cause: refusal })
}

function firstWord(text: string): string {
  return /^[A-Z]{2,20}/.exec(text)?.[0] ?? 'ERR'
}
