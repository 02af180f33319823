import { WeirError } from '../../../core/error.ts'

/** Refuses a key that URL parsers read otherwise than it is meant: `a/../../b/c` would reach another container. */
export function refuseDotParts(parts: readonly string[]): void {
  if (!parts.some((part) => part === '.' || part === '..')) return
  throw new WeirError('URL_NOT_ALLOWED', 'The key has parts such as `.` or `..` that change its path.', {
    hint: 'Use a key without such parts.',
    data: { sent: false },
  })
}
