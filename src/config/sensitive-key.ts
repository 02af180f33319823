import type { Path } from './path.ts'

const sensitiveEnding =
  /(?:passw(?:or)?d|passphrase|secret|token|bearer|api[-_]?key|access[-_]?key|private[-_]?key|session[-_]?key|authorization|credentials?|cookie)$/i

/** Whether a key's name says that what stands under it is a secret: `password`, `GITHUB_TOKEN`, `X-Api-Key`. */
export function isSensitivePath(path: Path): boolean {
  // The names of blocks, connections and servers are people's own words.
  const fields = path.slice(path[0] === 'server' ? 1 : 2)
  return fields.some((segment) => typeof segment === 'string' && sensitiveEnding.test(segment))
}
