import type { Revision } from '../model.ts'
import { revision20241105 } from './2024-11-05.ts'
import { revision20250326 } from './2025-03-26.ts'
import { revision20250618 } from './2025-06-18.ts'
import { revision20251125 } from './2025-11-25.ts'
import { revision20260728 } from './2026-07-28.ts'

/** Every revision Weir speaks, on both ends, newest first. */
const revisions: readonly Revision[] = [
  revision20260728,
  revision20251125,
  revision20250618,
  revision20250326,
  revision20241105,
]

const byVersion = new Map(revisions.map((revision) => [revision.version, revision]))

/** The versions Weir speaks, newest first. */
export const supportedVersions: readonly string[] = revisions.map((revision) => revision.version)

/** The revision of this version; undefined where Weir does not speak it. */
export function findRevision(version: string): Revision | undefined {
  return byVersion.get(version)
}

/** What Weir speaks to an upstream of the modern era. */
export const newestModern: Revision = revision20260728
/** What Weir speaks to an upstream of the session era, and answers `initialize` with. */
export const newestLegacy: Revision = revision20251125
/** What a legacy request without a version header is taken for. */
export const headerlessLegacy: Revision = revision20250326

/** What `initialize` settles on: the version asked for where it is a legacy one, else the newest legacy one. */
export function negotiateLegacy(requested: unknown): Revision {
  const revision = typeof requested === 'string' ? byVersion.get(requested) : undefined
  return revision?.era === 'legacy' ? revision : newestLegacy
}
