import { createLegacyRevision } from './legacy.ts'

/** The first revision of Streamable HTTP; what a request without a version header is taken for. */
export const revision20250326 = createLegacyRevision('2025-03-26', true)
