import { WeirError } from '../../core/error.ts'
import { renderAuth } from './credential.ts'
import { foldHeaderName, isCredentialHeader, isProtectedHeader } from './header-rules.ts'
import type { ApiConfig } from './http-config.ts'

/**
 * A request's headers (D0-032, D0-037): ours, over them the API's own, over them the call's, and last the
 * credential. Throws HEADER_NOT_ALLOWED for headers no call may set.
 */
export function mergeHeaders(
  apiName: string,
  api: ApiConfig,
  callHeaders: Readonly<Record<string, string>>,
  contentType: string | undefined,
): Record<string, string> {
  const merged: Record<string, string> = { accept: 'application/json, */*;q=0.5', 'user-agent': 'weir' }
  if (contentType !== undefined) merged['content-type'] = contentType
  for (const [name, value] of Object.entries(api.headers)) merged[name.toLowerCase()] = value

  const auth = renderAuth(api.auth)
  const reserved = new Set(Object.keys(api.headers).filter(isCredentialHeader).map(foldHeaderName))
  if (auth !== undefined) reserved.add(foldHeaderName(auth.name))
  for (const [name, value] of Object.entries(callHeaders)) {
    const lower = name.toLowerCase()
    const fault = findFault(lower, value, reserved)
    if (fault !== undefined) throw refuse(apiName, name, fault)
    merged[lower] = value
  }
  if (auth !== undefined) merged[auth.name] = auth.value
  return merged
}

function findFault(name: string, value: string, reserved: ReadonlySet<string>): string | undefined {
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return 'is not an HTTP header name'
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return 'has a value with a character no header may have'
  if (reserved.has(foldHeaderName(name))) return 'carries this API’s credential'
  if (isProtectedHeader(name)) return 'is set by Weir alone'
  return undefined
}

function refuse(apiName: string, name: string, fault: string): WeirError {
  return new WeirError('HEADER_NOT_ALLOWED', `The header ${JSON.stringify(name.slice(0, 100))} ${fault}.`, {
    hint: 'Leave it out; credentials and routing come from the configuration.',
    data: { api_name: apiName, header: name.slice(0, 100), sent: false },
  })
}
