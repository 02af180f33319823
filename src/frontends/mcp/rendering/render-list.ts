import type { Listing, Named } from '../../../core/catalog.ts'
import type { Target } from '../../../core/tool.ts'
import type { Revision } from '../../../wire/model.ts'
import type { Definition } from './render-definition.ts'

/** The result of a list method in a revision, encoded: a list of 1,000 tools is made once, not per request (P10). */
export type RenderList<T extends Target> = (listing: Listing<T>, revision: Revision) => Buffer

/**
 * `member` is what the result calls its list; `renderMembers` gives what follows it in every result of a revision.
 * Lists are kept until they change.
 */
export function createListRenderer<T extends Target>(
  member: string,
  renderOne: (named: Named<T>, era: Revision['era']) => Definition,
  renderMembers: (revision: Revision) => string,
): RenderList<T> {
  const kept = new WeakMap<
    Listing<T>,
    Map<string, { readonly listVersion: number; readonly result: Buffer }>
  >()
  return (listing, revision) => {
    let byRevision = kept.get(listing)
    if (byRevision === undefined) {
      byRevision = new Map()
      kept.set(listing, byRevision)
    }
    let rendered = byRevision.get(revision.version)
    if (rendered === undefined || rendered.listVersion !== listing.version) {
      const list = listing.list().map((named) => renderOne(named, revision.era))
      const text = `{"${member}":${JSON.stringify(list)}${renderMembers(revision)}}`
      rendered = { listVersion: listing.version, result: Buffer.from(text) }
      byRevision.set(revision.version, rendered)
    }
    return rendered.result
  }
}
