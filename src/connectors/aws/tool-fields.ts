import { z } from 'zod'
import { regionField } from '../shared/aws/aws-access-config.ts'

/** D0-052: where the call goes, if not to the connection's own region. */
export function createRegionField(region: string) {
  return regionField.default(region).describe('AWS region.')
}

/** Whether a write is done (D0-055, D0-057). */
export const successField = z.literal(true).optional().describe('True where something was changed.')

/** What was done, in words (D0-055, D0-057). */
export const messageField = z.string().optional().describe('What was changed, in words.')

/** Bytes in JSON. */
export const bytesField = z.strictObject({ $bytes: z.string().describe('Bytes as base64.') })
