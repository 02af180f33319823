import { z } from 'zod'

const megabyte = 1024 * 1024

/** What may be done with a store's objects, and how much at a time; spread it into the connector's own config. */
export const objectStoreFields = {
  operations: z
    .array(z.enum(['list', 'get', 'put', 'delete']))
    .nonempty()
    .default(['list', 'get'])
    .describe('What callers may do. Reading alone by default.'),
  objectsMax: z
    .int()
    .min(1)
    .max(100_000)
    .default(10_000)
    .describe('The most keys that one list answers with; a thousand take one request.'),
  objectBytesMax: z
    .int()
    .min(1)
    .max(16 * megabyte)
    .default(megabyte)
    .describe('The largest object that is read or written, in bytes.'),
}

const limits = z.strictObject(objectStoreFields)

/** What `objectStoreFields` parse to. */
export type ObjectStoreLimits = z.output<typeof limits>
