import { z } from 'zod'

/** Whether a write is done (D0-055, D0-057). */
export const successField = z.literal(true).optional().describe('True where something was changed.')

/** What was done, in words (D0-055, D0-057). */
export const messageField = z.string().optional().describe('What was changed, in words.')
