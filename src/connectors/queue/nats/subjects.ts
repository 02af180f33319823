/** Why nothing can be published to a subject; undefined if it can. */
export function problemOfSubject(subject: string): string | undefined {
  if (/[*>]/.test(subject)) return '`*` and `>` stand for other subjects'
  if (subject.startsWith('$') || subject.startsWith('_INBOX.')) return 'NATS keeps such subjects for itself'
  return subject.split('.').includes('') ? 'no part between dots may be empty' : undefined
}

/** Why a stream cannot be called that; undefined if it can. */
export function problemOfStreamName(name: string): string | undefined {
  if (/[.*>/\\]/.test(name)) return 'the name of a stream holds none of `.`, `*`, `>`, `/` and `\\`'
  return problemOfSubject(name)
}
