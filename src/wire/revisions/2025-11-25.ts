import { createLegacyRevision } from './legacy.ts'

/** The newest revision with a handshake; what `initialize` answers when it is asked for something it cannot give. */
export const revision20251125 = createLegacyRevision('2025-11-25', false)
