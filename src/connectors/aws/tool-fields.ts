import { z } from 'zod'
import { regionField } from '../shared/aws/aws-access-config.ts'

/** D0-052: where the call goes, if not to the connection's own region. */
export function createRegionField(region: string) {
  return regionField.default(region).describe('AWS region.')
}

/** Bytes in JSON. */
export const bytesField = z.strictObject({ $bytes: z.string().describe('Bytes as base64.') })
