import { describe, expect, it } from 'vitest'
import { mcpConfig } from '../config.ts'

const url = 'https://mcp.example/mcp'
const issuer = 'https://as.example'

function complaints(config: object): readonly string[] {
  const parsed = mcpConfig.safeParse(config)
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('auth', () => {
  it.each([
    [{ type: 'oauth' }],
    [{ type: 'oauth', scopes: ['a:b'], redirectPort: 8_123, clientId: 'x' }],
    [{ type: 'oauth', clientMetadataUrl: 'https://me.example/weir.json', per: 'caller' }],
    [{ type: 'oauth', clientId: 'x', clientSecret: 'y', issuer }],
    [{ type: 'oauth', grant: 'client_credentials', clientId: 'x', privateKey: 'pem', keyId: '1' }],
    [{ type: 'oauth', issuer: 'http://127.0.0.1:3000/tenant' }],
  ])('takes %j', (auth) => {
    expect(complaints({ url, auth })).toEqual([])
  })

  it.each([
    [{}, /^auth\.type:/],
    [{ type: 'oauth', scope: 'a' }, /scope/],
    [{ type: 'oauth', scopes: ['two words'] }, /^auth\.scopes\.0: is not a scope/],
    [{ type: 'oauth', clientId: 'x', clientSecret: 'y' }, /^auth\.issuer: is needed with `clientSecret`/],
    [{ type: 'oauth', clientSecret: 'y', issuer }, /^auth\.clientId: is needed/],
    [
      { type: 'oauth', clientId: 'x', clientSecret: 'y', privateKey: 'z', issuer },
      /^auth\.privateKey: .*not both/,
    ],
    [{ type: 'oauth', grant: 'client_credentials' }, /^auth\.clientSecret: .*needs/],
    [
      { type: 'oauth', grant: 'client_credentials', clientId: 'x', privateKey: 'z', per: 'caller' },
      /^auth\.per: .*knows no callers/,
    ],
    [{ type: 'oauth', issuer: 'http://as.example' }, /^auth\.issuer: must be https/],
    [{ type: 'oauth', clientMetadataUrl: 'http://me.example/x' }, /^auth\.clientMetadataUrl/],
    [{ type: 'oauth', clientMetadataUrl: 'https://me.example' }, /must have a path/],
    [{ type: 'oauth', clientMetadataUrl: 'https://me.example/x', clientId: 'x' }, /not both/],
    [{ type: 'oauth', keyId: 'x' }, /^auth\.keyId: belongs to/],
  ])('refuses %j', (auth, complaint) => {
    expect(complaints({ url, auth })).toEqual([expect.stringMatching(complaint)])
  })

  it('S12: stands beside no Authorization of the operator’s, and belongs to a URL', () => {
    const auth = { type: 'oauth' }
    expect(complaints({ url, auth, headers: { AUTHORIZATION: 'Bearer x' } })).toEqual([
      expect.stringMatching(/^auth: is for tokens that Weir obtains/),
    ])
    expect(complaints({ command: 'x', auth })).toEqual(['auth: belongs to a `url`'])
  })
})
