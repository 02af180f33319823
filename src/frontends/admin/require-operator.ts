import type { FastifyRequest } from 'fastify'
import type { Party } from '../../core/approval.ts'
import { WeirError } from '../../core/error.ts'
import { callerOf } from '../shared/require-caller.ts'

/**
 * The holder of the operator's token, or somebody who proved who they are and may do this, as the door has seen to.
 * Being on this machine proves nothing.
 */
export function requireOperator(request: FastifyRequest): Party {
  const { tenant, subject } = callerOf(request)
  const isProven = !subject.startsWith('local:') && !subject.startsWith('cli:')
  if (isProven) return { tenant, subject }
  throw new WeirError('OPERATOR_ONLY', 'Only whoever operates Weir may use the admin API.', {
    hint: 'Send the operator’s token, from the file `operator-token` beside the store, as a bearer token.',
  })
}
