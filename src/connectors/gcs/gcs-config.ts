import { z } from 'zod'
import { endpointUrl } from '../shared/cloud/endpoint-url.ts'
import { objectStoreFields } from '../shared/cloud/object-store-config.ts'

const text = z.string().min(1).max(2_048)

const credentials = z.union([
  z.strictObject({
    keyFile: text.describe(
      'A service account’s key as Google gives it, a JSON file; relative to Weir’s config.',
    ),
  }),
  z.strictObject({
    clientEmail: text.describe('The service account.'),
    privateKey: z.string().min(1).max(16_384).describe('Its private key, PEM.'),
    privateKeyId: text.optional().describe('The id of that key.'),
    tokenUrl: endpointUrl
      .default('https://oauth2.googleapis.com/token')
      .describe('Where tokens are obtained.'),
  }),
  z.strictObject({
    instance: z
      .union([
        z.literal(true),
        z.strictObject({
          endpoint: endpointUrl.describe('The metadata server, where it is not at 169.254.169.254.'),
        }),
      ])
      .describe('Takes the tokens of the machine’s or pod’s service account from the metadata server.'),
  }),
  z.strictObject({
    anonymous: z.literal(true).describe('Sends none: for buckets that everybody may read, and emulators.'),
  }),
])

/** The config of one `gcs` connection: where, as whom, and what of it. */
export const gcsConfig = z.strictObject({
  credentials: credentials.describe(
    'As whom: one of `keyFile`, a key itself, `instance` or `anonymous`. Nothing else is looked at: no variable, no file and no metadata server unasked.',
  ),
  buckets: z
    .array(z.string().min(1))
    .nonempty()
    .default(['*'])
    .describe('The buckets callers may use, as names or globs with `*`. All by default.'),
  ...objectStoreFields,
  endpoint: endpointUrl
    .default('https://storage.googleapis.com')
    .describe('Where the JSON API is reached: an emulator, or a private endpoint.'),
  allowPrivate: z
    .union([z.boolean(), z.array(z.string())])
    .default(false)
    .describe(
      'Lets endpoints lie on this machine or a private network (emulators, private endpoints): true, or a list of host names, addresses and CIDR blocks.',
    ),
})

export type GcsConfig = z.output<typeof gcsConfig>
