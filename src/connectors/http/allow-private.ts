import { z } from 'zod'

/** Which addresses that are not on the public internet may be reached; egress reads it (S10). */
export const allowPrivateField = z.union([z.boolean(), z.array(z.string())]).default(false)
