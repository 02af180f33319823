import { createLegacyRevision } from './legacy.ts'

/** The first published revision; over HTTP it is served on the same URL as the newer ones. */
export const revision20241105 = createLegacyRevision('2024-11-05', true)
