import { supportedVersions } from '../../../wire/revisions/index.ts'
import type { Exchange } from '../exchange.ts'
import { renderInstructions } from '../rendering/render-instructions.ts'
import { modernCapabilities } from './capabilities.ts'
import { listTtlMs, type MethodParts } from './method-parts.ts'

/** Answers `server/discover`, a modern client's first contact. */
export function discover({ server, instructions }: MethodParts, { revision, view }: Exchange): string {
  const told = { instructions: renderInstructions(view, instructions) }
  const body = JSON.stringify({ supportedVersions, capabilities: modernCapabilities, ...told })
  return `${body.slice(0, -1)}${revision.cacheMembers(listTtlMs, 'private')}${revision.resultMembers(server)}}`
}
