import { WeirError } from '../core/error.ts'
import { findNearestKey } from '../core/nearest-key.ts'

/** The connections that a command is about: the one it names, or all. Throws INVALID_PARAMS for one that is not there. */
export function chooseConnections(names: readonly string[], only: string | undefined): readonly string[] {
  if (only === undefined) return names
  if (names.includes(only)) return [only]
  const nearest = findNearestKey(only, names)
  throw new WeirError('INVALID_PARAMS', `There is no connection ${JSON.stringify(only)}.`, {
    hint: nearest === undefined ? '`weir validate` checks the configuration.' : `Did you mean ${nearest}?`,
  })
}
