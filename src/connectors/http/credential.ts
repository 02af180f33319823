import { isCredentialHeader } from './header-rules.ts'
import type { ApiConfig } from './http-config.ts'

/** The header that carries an API's credential; undefined where it has none. */
export function renderAuth(auth: ApiConfig['auth']): { name: string; value: string } | undefined {
  if (auth === undefined) return undefined
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
  return secrets
}
