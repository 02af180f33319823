import { WeirError } from '../../core/error.ts'
import type { CredentialHeader } from './auth/credential.ts'
import { foldHeaderName, isCredentialHeader, isProtectedHeader } from './header-rules.ts'
import type { ApiConfig } from './http-config.ts'

/** What a call may say of its own headers. */
export type CallHeaders = Readonly<Record<string, string>>

/** Makes the headers of one request; the credential comes last and is set apart, because it may have to be renewed. */
export type HeaderMerger = (
  callHeaders: CallHeaders,
  contentType: string | undefined,
) => Readonly<Record<string, string>>

/**
 * A request's headers (D0-032, D0-037): ours, over them the API's own, over them the call's. What throws
 * HEADER_NOT_ALLOWED is a header that no call may set, the one of the credential among them.
 */
export function createHeaderMerger(
  apiName: string,
  headers: ApiConfig['headers'],
  credentialName: string | undefined,
): HeaderMerger {
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  const reserved = new Set(Object.keys(headers).filter(isCredentialHeader).map(foldHeaderName))
  if (credentialName !== undefined) reserved.add(foldHeaderName(credentialName))
  return (callHeaders, contentType) => {
    const merged: Record<string, string> = { accept: 'application/json, */*;q=0.5', 'user-agent': 'weir' }
    if (contentType !== undefined) merged['content-type'] = contentType
    for (const [name, value] of own) merged[name] = value
    for (const [name, value] of Object.entries(callHeaders)) {
      const lower = name.toLowerCase()
      const fault = findFault(lower, value, reserved)
      if (fault !== undefined) throw refuse(apiName, name, fault)
      merged[lower] = value
    }
    return merged
  }
}

/** The same headers with a credential over them. */
export function addCredential(
  headers: Readonly<Record<string, string>>,
  credential: CredentialHeader | undefined,
): Readonly<Record<string, string>> {
  return credential === undefined ? headers : { ...headers, [credential.name]: credential.value }
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
