import { isCredentialHeader } from '../header-rules.ts'
import type { ApiConfig } from '../http-config.ts'
import type { AuthConfig } from './auth-config.ts'
import type { Credential, CredentialHeader } from './credential.ts'

/** A credential that stands in the configuration, or none. */
export function createFixedCredential(auth: AuthConfig | undefined): Credential {
  const header = renderAuth(auth)
  return {
    headerName: header?.name,
    header: () => header,
    renew: async () => false,
    check: async () => {},
    close: async () => {},
  }
}

function renderAuth(auth: AuthConfig | undefined): CredentialHeader | undefined {
  if (auth === undefined || 'oauth' in auth) return undefined
  if ('bearer' in auth) return { name: 'authorization', value: `Bearer ${auth.bearer}` }
  if ('apiKey' in auth) return { name: auth.header.toLowerCase(), value: auth.apiKey }
  const pair = Buffer.from(`${auth.basic.user}:${auth.basic.password}`).toString('base64')
  return { name: 'authorization', value: `Basic ${pair}` }
}

/** Every value of the configuration that must never reach a caller. */
export function listSecrets({ auth, headers }: ApiConfig): string[] {
  const secrets = Object.entries(headers).flatMap(([name, value]) =>
    isCredentialHeader(name) ? [value] : [],
  )
  const value = renderAuth(auth)?.value
  if (value !== undefined) secrets.push(value.replace(/^(Bearer|Basic) /, ''))
  if (auth !== undefined && 'basic' in auth) secrets.push(auth.basic.password)
  if (auth !== undefined && 'oauth' in auth) secrets.push(auth.oauth.clientSecret)
  return secrets
}
