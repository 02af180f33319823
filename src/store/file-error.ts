import { WeirError } from '../core/error.ts'

/** What fails for want of room and succeeds once there is some. */
const noRoom: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])

/** A file or folder of the store that could not be made or used: `what` says which, and what was tried. */
export function fileError(what: string, hint: string, cause: unknown): WeirError {
  if (cause instanceof WeirError) return cause
  const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  if (!noRoom.has(why)) return new WeirError('STORE_UNUSABLE', `${what} (${why}).`, { hint, cause })
  const cure = 'Free some space, and try again.'
  return new WeirError('STORE_UNAVAILABLE', `${what}: there is no room (${why}).`, { hint: cure, cause })
}
