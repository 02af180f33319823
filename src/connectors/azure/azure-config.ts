import { z } from 'zod'
import { endpointUrl } from '../shared/cloud/endpoint-url.ts'
import { objectStoreFields } from '../shared/cloud/object-store-config.ts'
import { problemOfConnectionString } from './blob-access.ts'

const accountName = z
  .string()
  .regex(/^[a-z0-9]{3,24}$/, 'is not the name of a storage account: 3 to 24 small letters and digits')
const accountKey = z.string().regex(/^[A-Za-z0-9+/]{16,}={0,2}$/, 'is not an account key, which is base64')
const sas = z
  .string()
  .max(4_096)
  .regex(/^\??(?:[^#\s]*&)?sig=[^#\s]+$/, 'is not a shared access signature: it has no `sig`')

const credentials = z.union([
  z.strictObject({
    connectionString: z
      .string()
      .max(8_192)
      .superRefine((value, context) => {
        const problem = problemOfConnectionString(value)
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
      })
      .describe(
        'The connection string of a storage account, with its key or with a shared access signature.',
      ),
  }),
  z.strictObject({
    accountName: accountName.describe('The storage account.'),
    accountKey: accountKey.describe('One of its keys.'),
  }),
  z.strictObject({
    accountName: accountName.describe('The storage account.'),
    sas: sas.describe('A shared access signature for it, as the text that stands after the `?`.'),
  }),
])

const blob = z
  .strictObject({
    containers: z
      .array(z.string().min(1))
      .nonempty()
      .default(['*'])
      .describe('The containers callers may use, as names or globs with `*`. All by default.'),
    ...objectStoreFields,
  })
  .describe('Offers `blob_operations`.')

/** The config of one `azure` connection: where, as whom, and what of it. What is not named is not offered. */
export const azureConfig = z.strictObject({
  credentials: credentials.describe(
    'As whom: one of a connection string, an account’s key, or a shared access signature. Nothing else is looked at.',
  ),
  endpoint: endpointUrl
    .optional()
    .describe(
      'Where blobs are reached instead of at `https://<account>.blob.core.windows.net`: an emulator, a private endpoint, another cloud of Azure.',
    ),
  allowPrivate: z
    .union([z.boolean(), z.array(z.string())])
    .default(false)
    .describe(
      'Lets the endpoint lie on this machine or a private network (emulators, private endpoints): true, or a list of host names, addresses and CIDR blocks.',
    ),
  blob,
})

export type AzureConfig = z.output<typeof azureConfig>
