import { z } from 'zod'
import { endpointUrl } from '../cloud/endpoint-url.ts'

const text = z.string().min(1).max(2_048)

/** A region's name. It becomes part of a host name, so it is held to what a host name may hold. */
export const regionField = z
  .string()
  .regex(
    /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/,
    'is not the name of a region: small letters, digits and hyphens',
  )

/** Where a service is reached instead of at AWS: an emulator, or a VPC endpoint. */
export const endpointField = endpointUrl.optional()

const role = z
  .strictObject({
    arn: z
      .string()
      .regex(/^arn:[a-z-]+:iam::\d{12}:role\/.+$/, 'is not the ARN of a role')
      .describe('The role’s ARN.'),
    externalId: text.optional().describe('The external id that the role’s trust policy asks for.'),
    sessionName: z
      .string()
      .regex(/^[\w+=,.@-]{2,64}$/, 'must be 2 to 64 letters, digits or +=,.@-')
      .default('weir')
      .describe('What CloudTrail shows as the session.'),
    endpoint: endpointField.describe('Where STS is reached. Default: the connection’s `endpoint`, else AWS.'),
  })
  .optional()
  .describe('A role that is assumed with these credentials; its own are then used.')

const credentials = z.union([
  z.strictObject({
    accessKeyId: text.describe('Access key id.'),
    secretAccessKey: text.describe('Secret access key.'),
    sessionToken: text.optional().describe('Session token, for temporary keys.'),
    role,
  }),
  z.strictObject({
    profile: text.describe(
      'A profile of the shared AWS files. What it names (a role, SSO, a process) is followed.',
    ),
    configFile: text
      .optional()
      .describe('The shared config file; relative to Weir’s. Default: where AWS has it.'),
    credentialsFile: text
      .optional()
      .describe('The shared credentials file; relative to Weir’s. Default: where AWS has it.'),
    role,
  }),
  z.strictObject({
    environment: z
      .literal(true)
      .describe(
        'Takes them from Weir’s environment: AWS_ACCESS_KEY_ID and its kin, else a web identity token (EKS), else the container’s (ECS, EKS Pod Identity).',
      ),
    role,
  }),
  z.strictObject({
    instance: z
      .union([
        z.literal(true),
        z.strictObject({
          endpoint: endpointUrl.describe('The metadata service, where it is not at 169.254.169.254.'),
        }),
      ])
      .describe('Takes those of the machine’s role from the metadata service of EC2 (version 2).'),
    role,
  }),
])

/** How every connector that speaks to AWS is told where, and as whom; spread it into the connector's own config. */
export const awsAccessFields = {
  region: regionField
    .default('us-east-1')
    .describe('The region of calls that name none, and the one that checks ask.'),
  credentials: credentials.describe(
    'As whom: one of keys, `profile`, `environment` or `instance`. Nothing else is looked at: no file and no metadata service unasked.',
  ),
  endpoint: endpointField.describe(
    'Where all services are reached instead of at AWS, for emulators. Each service’s own goes before it.',
  ),
  allowPrivate: z
    .union([z.boolean(), z.array(z.string())])
    .default(false)
    .describe(
      'Lets endpoints lie on this machine or a private network (emulators, VPC endpoints): true, or a list of host names, addresses and CIDR blocks.',
    ),
}

const access = z.strictObject(awsAccessFields)

/** What `awsAccessFields` parse to. */
export type AwsAccessConfig = z.output<typeof access>

/** As whom: one of four forms, each with a role or without. */
export type AwsCredentialsConfig = AwsAccessConfig['credentials']
