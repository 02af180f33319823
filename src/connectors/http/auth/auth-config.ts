import { z } from 'zod'
import { allowPrivateField } from '../allow-private.ts'
import { headerName, headerValue } from '../header-fields.ts'

const secret = headerValue.min(1)
const printable = z
  .string()
  .regex(/^[\x20-\x7e]{1,10000}$/, 'holds nothing, or a character that no OAuth value may have')

const tokenUrl = z
  .url({ protocol: /^https?$/ })
  .refine(isSecretKeeping, 'must be https (http is for this machine alone), without user name and fragment')

const oauth = z.strictObject({
  tokenUrl: tokenUrl.describe(
    'The authorization server’s token endpoint. The client’s secret goes there and nowhere else.',
  ),
  clientId: printable.describe('The client that was registered for Weir.'),
  clientSecret: printable.describe('Its secret.'),
  clientAuth: z
    .enum(['basic', 'post'])
    .default('basic')
    .describe('How the secret is sent: in the header `Authorization: Basic`, or in the body.'),
  scope: printable.optional().describe('Scopes to ask for, separated by spaces.'),
  audience: printable.optional().describe('For which API the token is to be, where the server asks for it.'),
  resource: z.url().optional().describe('The same in the words of RFC 8707: the URL of the API.'),
  timeoutMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(10_000)
    .describe('Longest time a request for a token may take, in milliseconds.'),
  allowPrivate: allowPrivateField.describe(
    'Lets the token endpoint live on this machine or a private network, as `allowPrivate` of the API does.',
  ),
})

/** Where tokens of an API come from (D0-034). */
export type OAuthConfig = z.infer<typeof oauth>

/** The credential of an API (D0-032): exactly one form. */
export const authConfig = z.union([
  z.strictObject({ bearer: secret.describe('Token, sent as `Authorization: Bearer …`.') }),
  z.strictObject({
    apiKey: secret.describe('Key, sent in a header of its own.'),
    header: headerName.default('X-API-Key').describe('The header that carries the key.'),
  }),
  z.strictObject({
    basic: z
      .strictObject({
        user: z
          .string()
          .regex(/^[^:]*$/, 'may not hold a colon')
          .describe('User name.'),
        password: z.string().describe('Password.'),
      })
      .describe('User name and password, sent as `Authorization: Basic …`.'),
  }),
  z.strictObject({
    oauth: oauth.describe(
      'OAuth 2.0 client credentials: Weir obtains a token, sends it as `Authorization: Bearer …`, and renews it.',
    ),
  }),
])

export type AuthConfig = z.infer<typeof authConfig>

function isSecretKeeping(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || /^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(url.hostname)
}
