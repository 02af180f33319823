const sensitiveEnding =
  /(?:passw(?:or)?d|passphrase|secret|token|bearer|api[-_]?key|access[-_]?key|private[-_]?key|session[-_]?key|account[-_]?key|connection[-_]?string|authorization|credentials?|cookie)$/i

/** Whether a key's name says that what stands under it is a secret (S16): `password`, `GITHUB_TOKEN`, `X-Api-Key`. */
export function isSensitiveKey(key: string): boolean {
  return sensitiveEnding.test(key)
}
