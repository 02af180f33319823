import { createLegacyRevision } from './legacy.ts'

/** The first revision with structured tool output and the protocol version header. */
export const revision20250618 = createLegacyRevision('2025-06-18', false)
