import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { lines, parse } from './load.fixture.ts'

const base = 'connections: { crm: { type: sql } }\n'
const good = '8f1c0d9ab34e7726518fd0a3cc0e94b2'
const issuer = (more: string) =>
  `${base}roles: { a: {} }\nauth: { jwt: [{ name: corp, issuer: i, audience: weir, ${more} }] }`

const pemOf = (type: 'rsa' | 'ec' | 'ed25519') => {
  const options = { modulusLength: 2048, namedCurve: 'P-256' }
  const pair = generateKeyPairSync(type as 'rsa', options)
  return {
    public: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    private: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
const quote = (pem: string) => JSON.stringify(pem)

describe('roles and issuers', () => {
  it('are taken as they are written, with what they leave out', () => {
    const { config, warnings } = parse(`${base}toolsets: { reading: { tools: ["crm:*"] } }
roles:
  analyst: { allow: ["tool:crm:*", "admin:metrics"], deny: ["tool:crm:delete"], toolset: reading }
  all: { allow: ["*"] }
auth:
  apiKeys: true
  localRoles: [analyst]
  jwt:
    - { name: corp, issuer: https://id.example, audience: weir, jwksUrl: https://id.example/jwks, roles: [all] }
    - { name: old, issuer: old, audience: [weir, mcp], secret: ${good}, subjectClaim: user_id }
`)
    expect(config.roles['analyst']).toEqual({
      allow: ['tool:crm:*', 'admin:metrics'],
      deny: ['tool:crm:delete'],
      toolset: 'reading',
    })
    const defaults = { rolesClaim: 'roles', tenant: 'default' }
    expect(config.auth).toEqual({
      apiKeys: true,
      localRoles: ['analyst'],
      jwt: [
        {
          ...{ name: 'corp', issuer: 'https://id.example', audience: 'weir', ...defaults },
          ...{ roles: ['all'], subjectClaim: 'sub', key: { jwksUrl: 'https://id.example/jwks' } },
          algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
        },
        {
          ...{ name: 'old', issuer: 'old', audience: ['weir', 'mcp'], ...defaults },
          ...{ roles: [], subjectClaim: 'user_id', key: { secret: good }, algorithms: ['HS256'] },
        },
      ],
    })
    expect([config.roles['constructor'], warnings]).toEqual([undefined, []])
    expect(parse(base).config.auth).toBeUndefined()
  })

  it('have what they name checked', () => {
    const text = `${base}roles: { analyst: { allow: ["tool:crn:x", "crm:x"], toolset: reading } }
auth:
  localRoles: [analist]
  jwt:
    - { name: a, issuer: i, audience: w, secret: ${good}, roles: [ghost] }
    - { name: a, issuer: i, audience: w, secret: ${good} }
`
    expect(lines(text)).toEqual([
      expect.stringContaining('roles.analyst.allow[1]: a permission is of a tool'),
    ])
    expect(lines(text.replace(', "crm:x"', ''))).toEqual([
      '2:53 roles.analyst.toolset: no toolset is named "reading"',
      '4:16 auth.localRoles[0]: no role is named "analist"; did you mean "analyst"?',
      expect.stringMatching(/^6:\d+ auth\.jwt\[0\]\.roles\[0\]: no role is named "ghost"$/),
      expect.stringMatching(/^7:\d+ auth\.jwt\[1\]\.name: another issuer has this already$/),
      expect.stringMatching(/^7:\d+ auth\.jwt\[1\]\.issuer: another issuer has this already$/),
    ])
    expect(parse(`${base}roles: { a: { deny: ["tool:crn:x"] } }`).warnings).toEqual([
      expect.stringContaining('no connection is named "crn"; did you mean "crm"?'),
    ])
  })

  it('S1: cannot ask for authentication without a way to authenticate', () => {
    expect(lines(`${base}auth: {}`)).toEqual([expect.stringContaining('name a way to authenticate')])
  })
})

describe('S2: the secret of an issuer', () => {
  it.each([
    'short',
    'changemechangemechangemechangeme',
    'this-is-my-very-secret-key-for-tokens',
    'PASSWORD-password-PASSWORD-password',
    'your-256-bit-key-goes-here-right-now',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '01230123012301230123012301230123',
  ])('is refused where it is too short or a placeholder: %s', (secret) => {
    const found = lines(issuer(`secret: ${JSON.stringify(secret)}`))
    expect(found).toEqual([expect.stringMatching(/at least 32 bytes|placeholder and no secret/)])
    expect(found.join()).not.toContain(secret)
  })

  it('is never printed', () => {
    const { secrets } = parse(issuer(`secret: ${good}`))
    expect(secrets.redact(`a ${good} b`)).toBe('a [redacted] b')
  })
})

describe('S4: the key of an issuer', () => {
  const rsa = pemOf('rsa')

  it.each([
    ['two keys', `secret: ${good}, jwksUrl: https://i.example`, 'give one of jwksUrl, publicKey and secret'],
    ['none', '', 'give one of jwksUrl, publicKey and secret'],
    ['a URL in the clear', 'jwksUrl: http://i.example/keys', 'keys come over https'],
    ['no PEM', 'publicKey: hello', 'this is no public key in PEM'],
    ['a private key', `publicKey: ${quote(rsa.private)}`, 'this is no public key in PEM'],
    [
      'HS256 with a public key',
      `publicKey: ${quote(rsa.public)}, algorithms: [HS256]`,
      'the key makes no HS256;',
    ],
    [
      'ES256 with an RSA key',
      `publicKey: ${quote(rsa.public)}, algorithms: [ES256]`,
      'the key makes no ES256;',
    ],
    ['HS256 with a URL', 'jwksUrl: https://i.example, algorithms: [RS256, HS256]', 'the key makes no HS256;'],
    ['RS256 with a secret', `secret: ${good}, algorithms: [RS256]`, 'the key makes no RS256;'],
    ['none as an algorithm', `secret: ${good}, algorithms: [none]`, 'algorithms[0]'],
  ])('is refused: %s', (_what, more, message) => {
    expect(lines(issuer(more))).toEqual([expect.stringContaining(message)])
  })

  it.each([
    ['rsa', 'RS256'],
    ['ec', 'ES256'],
    ['ed25519', 'EdDSA'],
  ] as const)('of kind %s says which signatures are taken', (type, algorithm) => {
    const { config } = parse(issuer(`publicKey: ${quote(pemOf(type).public)}`))
    expect(config.auth!.jwt[0]!.algorithms).toContain(algorithm)
    expect(config.auth!.jwt[0]!.algorithms).not.toContain('HS256')
  })

  it('may come in the clear from this machine', () => {
    const { config } = parse(issuer('jwksUrl: http://127.0.0.1:9000/keys, allowPrivate: true'))
    expect(config.auth!.jwt[0]!.key).toEqual({ jwksUrl: 'http://127.0.0.1:9000/keys', allowPrivate: true })
  })
})
