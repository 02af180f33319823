import { isSensitiveKey } from '../core/sensitive-key.ts'
import type { Path } from './path.ts'

/** Whether a key's name says that what stands under it is a secret: `password`, `GITHUB_TOKEN`, `X-Api-Key`. */
export function isSensitivePath(path: Path): boolean {
  // The names of blocks, connections and servers are people's own words.
  const fields = path.slice(path[0] === 'server' ? 1 : 2)
  // Beside a certificate, `key` is the private one; elsewhere it is anything.
  if (fields.at(-1) === 'key' && fields.at(-2) === 'tls') return true
  if (fields.at(-1) === 'sas') return true
  return fields.some((segment) => typeof segment === 'string' && isSensitiveKey(segment))
}
