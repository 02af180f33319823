import { createPublicKey } from 'node:crypto'
import { z } from 'zod'

const rolesMax = 256
const patternsMax = 1_000
const secretBytesMin = 32

const permissionPattern = z
  .string()
  .max(1_024)
  .regex(
    /^(?:\*|(?:tool|resource|prompt|admin):\S+)$/,
    'a permission is of a tool, a resource, a prompt or Weir itself: "tool:database:*", "resource:files:*", "prompt:mail:draft", "admin:metrics", "*"',
  )
const patterns = z.array(permissionPattern).max(patternsMax).default([])

const roleName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_.-]+$/, 'a role’s name is made of letters, digits, _, . and -')

/** What the callers of one role may do. */
const roleSchema = z.strictObject({
  description: z.string().max(2_000).optional().describe('What the role is for, for people.'),
  allow: patterns.describe(
    'What its callers may use, by permission or pattern: `tool:database:*`, `resource:files:*`, `prompt:*`. `*` is every tool, resource and prompt; permissions of Weir itself, `admin:…`, have to be named. What nothing allows is denied.',
  ),
  deny: patterns.describe('What they may not use, whatever allows it, in whichever of their roles.'),
  toolset: z
    .string()
    .optional()
    .describe('The toolset that `/mcp` serves them. It is a default, no bound: rights are in `allow`.'),
})

/** The roles there are, by name. */
export const rolesSchema = z
  .record(roleName, roleSchema)
  .refine((roles) => Object.keys(roles).length <= rolesMax, `there can be at most ${rolesMax} roles`)

/** Words of secrets that were never meant to be kept. */
const placeholder =
  /change.?(?:me|this|it)|replace.?(?:me|this|it)|placeholder|secret|password|passw0rd|example|your[-_ ]|default|insert[-_ ]|xxxx|todo/i

const secretSchema = z.string().superRefine((secret, context) => {
  const bytes = Buffer.byteLength(secret)
  const cure = '`openssl rand -hex 32` makes one'
  if (bytes < secretBytesMin) {
    context.addIssue(`a secret has at least ${secretBytesMin} bytes, this one has ${bytes}; ${cure}`)
  } else if (placeholder.test(secret) || new Set(secret).size < 8) {
    context.addIssue(`this is a placeholder and no secret; ${cure}`)
  }
})

/** Signatures that one key cannot make for another kind: what a token says of its own algorithm chooses nothing. */
const algorithmsOf = {
  secret: ['HS256', 'HS384', 'HS512'],
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ec: ['ES256', 'ES384', 'ES512'],
  ed25519: ['EdDSA', 'Ed25519'],
} as const
const asymmetric = [...algorithmsOf.rsa, ...algorithmsOf.ec, ...algorithmsOf.ed25519]

const claim = z.string().min(1).max(256)

const jwtFields = z.strictObject({
  name: z
    .string()
    .max(64)
    .regex(/^[a-z0-9-]+$/, 'a name is made of a-z, 0-9 and -')
    .describe('The issuer’s name here. Its callers are `jwt:{name}:{subject}`.'),
  issuer: z.string().min(1).max(1_024).describe('What the claim `iss` has to be, exactly.'),
  audience: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(16)])
    .describe('What the claim `aud` has to hold: the name or URL by which the issuer knows this Weir.'),
  jwksUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where the issuer publishes its keys. Read when first needed, and again when a key is new.'),
  allowPrivate: z
    .union([z.boolean(), z.array(z.string().min(1))])
    .optional()
    .describe(
      'Which addresses that are not public `jwksUrl` may lead to: `true`, or a list of hosts and networks.',
    ),
  publicKey: z.string().optional().describe('The issuer’s public key, as PEM, in place of a URL.'),
  secret: secretSchema
    .optional()
    .describe('The secret that the issuer shares with Weir, at least 32 bytes, in place of a key.'),
  algorithms: z
    .array(z.enum([...algorithmsOf.secret, ...asymmetric]))
    .min(1)
    .optional()
    .describe(
      'The signatures that are taken. Default: `HS256` for a secret; those of the key for `publicKey`; `RS256`, `PS256`, `ES256` and `EdDSA` for a URL.',
    ),
  subjectClaim: claim.default('sub').describe('The claim that names the caller.'),
  rolesClaim: claim
    .default('roles')
    .describe('The claim that lists the caller’s roles. A dot leads into an object: `realm_access.roles`.'),
  roles: z.array(roleName).default([]).describe('Roles that all callers of the issuer have.'),
  permissionsClaim: claim
    .optional()
    .describe('A claim that lists permissions themselves, such as `tool:mail:send`. Default: none is read.'),
  tenantClaim: claim
    .optional()
    .describe('The claim that names the caller’s tenant; a token without it is refused.'),
  tenant: z
    .string()
    .min(1)
    .max(128)
    .default('default')
    .describe('The tenant of all callers, without `tenantClaim`.'),
})

const jwtSchema = jwtFields.transform((method, context) => {
  const { jwksUrl, publicKey, secret, allowPrivate, algorithms, ...rest } = method
  const given = [jwksUrl, publicKey, secret].filter((one) => one !== undefined)
  if (given.length !== 1) {
    context.addIssue('give one of jwksUrl, publicKey and secret')
    return z.NEVER
  }
  if (jwksUrl !== undefined && !isSafe(jwksUrl)) {
    context.addIssue({
      code: 'custom',
      path: ['jwksUrl'],
      message: 'keys come over https, or from this machine',
    })
  }
  const fitting = fittingAlgorithms(secret, publicKey)
  if (fitting === undefined) {
    context.addIssue({ code: 'custom', path: ['publicKey'], message: 'this is no public key in PEM' })
    return z.NEVER
  }
  const wrong = algorithms?.find((one) => !fitting.all.includes(one))
  if (wrong !== undefined) {
    const message = `the key makes no ${wrong}; it makes ${fitting.all.join(', ')}`
    context.addIssue({ code: 'custom', path: ['algorithms'], message })
  }
  const key =
    secret !== undefined ? { secret } : publicKey !== undefined ? { publicKey } : { jwksUrl: jwksUrl! }
  return {
    ...rest,
    key: { ...key, ...(allowPrivate === undefined ? {} : { allowPrivate }) },
    algorithms: algorithms ?? fitting.standard,
  }
})

interface Fitting {
  readonly all: readonly string[]
  readonly standard: readonly string[]
}

function fittingAlgorithms(secret: string | undefined, publicKey: string | undefined): Fitting | undefined {
  if (secret !== undefined) return { all: algorithmsOf.secret, standard: ['HS256'] }
  if (publicKey === undefined) return { all: asymmetric, standard: ['RS256', 'PS256', 'ES256', 'EdDSA'] }
  const type = typeOfKey(publicKey)
  if (type === undefined) return undefined
  return { all: algorithmsOf[type], standard: algorithmsOf[type] }
}

function typeOfKey(pem: string): 'rsa' | 'ec' | 'ed25519' | undefined {
  // A private key opens as its public one, and has no place in this file.
  if (pem.includes('PRIVATE KEY')) return undefined
  try {
    const type = createPublicKey(pem).asymmetricKeyType
    return type === 'rsa' || type === 'ec' || type === 'ed25519' ? type : undefined
  } catch {
    return undefined
  }
}

function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

/** How callers say who they are. */
export const authSchema = z
  .strictObject({
    apiKeys: z
      .boolean()
      .default(false)
      .describe('Takes the keys that `weir keys create` makes, as `Authorization: Bearer` or `X-API-Key`.'),
    jwt: z
      .array(jwtSchema)
      .max(16)
      .default([])
      .describe('Issuers whose signed tokens are taken, as `Authorization: Bearer`. Each `iss` once.'),
    localRoles: z
      .array(roleName)
      .optional()
      .describe(
        'The roles of this machine’s user, who starts Weir on stdin and stdout. Default: may use everything. Over HTTP everybody needs a credential.',
      ),
  })
  .refine(({ apiKeys, jwt }) => apiKeys || jwt.length > 0, 'name a way to authenticate: apiKeys or jwt')
