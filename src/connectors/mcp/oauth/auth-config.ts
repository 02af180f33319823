import { z } from 'zod'

const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'is not a scope: one word without spaces, quotes or backslashes')
const httpsUrl = z.url({ protocol: /^https$/ })
const issuer = z
  .url({ protocol: /^https?$/ })
  .refine((text) => isSecureUrl(text), 'must be https; http is for this machine alone')

const shape = z.strictObject({
  type: z.literal('oauth').describe('The kind of credential; only `oauth` so far.'),
  grant: z
    .enum(['authorization_code', 'client_credentials'])
    .default('authorization_code')
    .describe(
      'How a token is obtained: a person agrees once, with `weir auth`, or Weir itself is the client and nobody is asked.',
    ),
  per: z
    .enum(['gateway', 'caller'])
    .default('gateway')
    .describe(
      'Whose tokens: one that serves every caller, or each caller their own. Tools are listed with the gateway’s in both cases.',
    ),
  scopes: z
    .array(scope)
    .max(100)
    .optional()
    .describe('Scopes to ask for, instead of those that the server names.'),
  issuer: issuer
    .optional()
    .describe(
      'The only authorization server that is trusted with this connection. Needed with `clientSecret`; otherwise the MCP server names it.',
    ),
  clientId: z
    .string()
    .regex(/^[\x20-\x7e]{1,2000}$/, 'holds characters that no client id has')
    .optional()
    .describe('The client that was registered for Weir. Without it Weir registers itself.'),
  clientSecret: z.string().min(1).max(10_000).optional().describe('The secret that belongs to `clientId`.'),
  privateKey: z
    .string()
    .min(1)
    .max(20_000)
    .optional()
    .describe(
      'A private key in PEM (RSA, EC or Ed25519) that signs for `clientId` instead of a secret; usually `${file:…}`.',
    ),
  keyId: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .describe('The id under which the authorization server knows the public half of `privateKey`.'),
  clientMetadataUrl: httpsUrl
    .refine((text) => URL.parse(text)?.pathname !== '/', 'must have a path')
    .optional()
    .describe(
      'A document of yours that describes this client, under https. Its URL is the client id at servers that take such documents.',
    ),
  redirectPort: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe(
      'Port of `http://127.0.0.1:{port}/callback`, to which `weir auth` has people sent back. Any free one by default.',
    ),
})

/** How Weir gets tokens for one server. */
export const authConfig = shape.superRefine((auth, context) => {
  const complain = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message })
  const { clientId, clientSecret, privateKey } = auth
  if (clientSecret !== undefined && privateKey !== undefined)
    complain('privateKey', 'a client has a `clientSecret` or a `privateKey`, not both')
  if (clientId === undefined && (clientSecret !== undefined || privateKey !== undefined))
    complain('clientId', 'is needed: whose secret is it?')
  if (clientSecret !== undefined && auth.issuer === undefined)
    complain('issuer', 'is needed with `clientSecret`, so that the secret goes to no other server')
  if (auth.keyId !== undefined && privateKey === undefined) complain('keyId', 'belongs to a `privateKey`')
  if (clientId !== undefined && auth.clientMetadataUrl !== undefined)
    complain('clientMetadataUrl', 'a client has a `clientId` or a `clientMetadataUrl`, not both')
  if (auth.grant !== 'client_credentials') return
  if (clientSecret === undefined && privateKey === undefined)
    complain('clientSecret', 'the grant client_credentials needs a `clientSecret` or a `privateKey`')
  if (auth.per === 'caller') complain('per', 'the grant client_credentials knows no callers')
})

export type AuthConfig = z.output<typeof authConfig>

/** What holds for a server of which the configuration says nothing. */
export const defaultAuth: AuthConfig = { type: 'oauth', grant: 'authorization_code', per: 'gateway' }

/** Whether a secret may be sent there: TLS, or this machine itself. */
export function isSecureUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
