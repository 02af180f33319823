import type { Call } from '../../core/call.ts'
import { type Decision, everything, type Grants } from '../../core/caller.ts'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import { decideRead, decideUse, permissionOf } from '../../core/permission.ts'
import type { Stage } from '../../core/policy.ts'

/**
 * Always on: runs what the caller may run, and nothing without a rule that says so (D4-021). It stands before
 * validation, so that a stranger learns nothing of a schema.
 */
export const permissionStage: Stage = {
  name: 'permission',
  wrap(entry, policy, next) {
    const permission = permissionOf(entry)
    if (policy.isDenied === true) {
      return () => Promise.reject(refuse(permission, 'a policy denies it to everybody'))
    }
    if (entry.target.kind === 'resource-template') {
      const decide = (call: Call) => decideRead(call.caller.grants, entry.connection, uriOf(call.input))
      return (call) => {
        if (call.caller.grants === everything) return next(call)
        const { isAllowed, rule } = decide(call)
        note(call, isAllowed, rule)
        if (isAllowed) return next(call)
        return Promise.reject(refuse(`resource:${entry.connection}:${uriOf(call.input)}`, rule))
      }
    }
    // By the Grants, which all callers of the same rights share: a call costs one lookup.
    const decisions = new WeakMap<Grants, Decision>()
    return (call) => {
      const { grants } = call.caller
      if (grants === everything) return next(call)
      let decision = grants === undefined ? undefined : decisions.get(grants)
      if (decision === undefined) {
        decision = decideUse(grants, entry)
        if (grants !== undefined) decisions.set(grants, decision)
      }
      note(call, decision.isAllowed, decision.rule)
      return decision.isAllowed ? next(call) : Promise.reject(refuse(permission, decision.rule))
    }
  },
}

/** Says to the audit what was decided, and why. */
function note({ trail }: Call, isAllowed: boolean, rule: string): void {
  if (trail === undefined) return
  trail.decision = isAllowed ? 'allowed' : 'denied'
  trail.rule = rule
}

/** Nothing has checked the input yet; what is no URI is allowed by no rule that names one. */
function uriOf(input: unknown): string {
  const uri = isObject(input) ? input['uri'] : undefined
  return typeof uri === 'string' ? uri : ''
}

const permissionCharsMax = 300

function refuse(permission: string, rule: string): WeirError {
  const shown = permission.slice(0, permissionCharsMax)
  return new WeirError('PERMISSION_DENIED', `Permission denied: ${shown} (${rule}).`, {
    hint: 'Whoever operates Weir can allow it, in a role of the caller.',
    data: { permission: shown, rule },
  })
}
