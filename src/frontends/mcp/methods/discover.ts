import { supportedVersions } from '../../../wire/revisions/index.ts'
import type { Exchange } from '../exchange.ts'
import { serverCapabilities } from './capabilities.ts'
import { listTtlMs, type MethodParts } from './method-parts.ts'

/** Answers `server/discover`, a modern client's first contact. */
export function discover({ server, instructions }: MethodParts, { revision }: Exchange): string {
  const body = JSON.stringify({ supportedVersions, capabilities: serverCapabilities, instructions })
  return `${body.slice(0, -1)}${revision.cacheMembers(listTtlMs, 'private')}${revision.resultMembers(server)}}`
}
