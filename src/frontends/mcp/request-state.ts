import { createHash } from 'node:crypto'
import type { Caller } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import type { Seal } from '../shared/seal.ts'

/** What a sealed `requestState` is bound to (S6): who, which call, which arguments. */
export interface StateBinding {
  readonly caller: Caller
  readonly id: string
  readonly input: unknown
}

/** Used states remembered; beyond it the oldest is forgotten, and would open again until it expires. */
const usedMax = 100_000
/** A person may take a while to answer; nobody takes longer than this. */
const stateTtlMs = 60 * 60 * 1000

/** A tool's own state on its way through the client and back, which can neither read, change nor use it elsewhere. */
export interface RequestStates {
  seal(state: string | undefined, binding: StateBinding): string
  /** Opens a state once. Throws INVALID_PARAMS where it is forged, expired, used already, or another call's. */
  open(sealed: unknown, binding: StateBinding): string | undefined
}

/** States last an hour on the wall clock: they leave the process, which may not be the same when they return. */
export function createRequestStates(seal: Seal, clock: Clock): RequestStates {
  // Told apart by their last characters: the seal's tag, which no two share.
  const used = new Set<string>()
  const isFirstUse = (sealed: string) => {
    const tag = sealed.slice(-22)
    if (used.has(tag)) return false
    if (used.size >= usedMax) used.delete(used.values().next().value!)
    used.add(tag)
    return true
  }
  return {
    seal: (state, binding) =>
      seal.seal({
        b: digest(binding),
        e: clock.now() + stateTtlMs,
        ...(state === undefined ? {} : { r: state }),
      }),
    open(sealed, binding) {
      const text = typeof sealed === 'string' ? sealed : ''
      const opened = seal.open(text)
      const isOurs = isObject(opened) && opened['b'] === digest(binding) && Number(opened['e']) > clock.now()
      if (!isOurs || !isFirstUse(text)) {
        throw new WeirError('INVALID_PARAMS', 'The requestState is not valid for this call.', {
          hint: 'Send the call again without it.',
        })
      }
      return typeof opened['r'] === 'string' ? opened['r'] : undefined
    },
  }
}

function digest({ caller, id, input }: StateBinding): string {
  return createHash('sha256')
    .update(JSON.stringify([caller.tenant, caller.subject, id, sortKeys(input)]))
    .digest('base64url')
}

/** Clients need not keep the order of an object's keys. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  )
}
