import { endpointUrl } from '../shared/cloud/endpoint-url.ts'
import type { AzureConfig } from './azure-config.ts'

/** Where an account's blobs are, and what proves that one may reach them. */
export interface BlobAccess {
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly accountName: string
  /** Either this, */
  readonly accountKey?: string
  /** or this, without the `?`. */
  readonly sas?: string
}

/** All forms of credentials as one. The config was checked, so a connection string has what it needs. */
export function readBlobAccess({ credentials, endpoint }: AzureConfig): BlobAccess {
  const access =
    'connectionString' in credentials
      ? parseConnectionString(credentials.connectionString)
      : { ...credentials, endpoint: renderEndpoint('https', credentials.accountName, 'core.windows.net') }
  const sas = 'sas' in access ? access.sas?.replace(/^\?/, '') : undefined
  return {
    ...access,
    endpoint: (endpoint ?? access.endpoint).replace(/\/+$/, ''),
    ...(sas === undefined ? {} : { sas }),
  }
}

/** Why it cannot be used, without a word of it; undefined if it can. */
export function problemOfConnectionString(text: string): string | undefined {
  const { endpoint, accountName, accountKey, sas } = parseConnectionString(text)
  if (!endpointUrl.safeParse(endpoint).success) return 'names no account, or no endpoint that can be used'
  if ((accountKey === undefined) === (sas === undefined)) {
    return 'must hold one of AccountKey and SharedAccessSignature'
  }
  if (accountKey !== undefined && accountName === '') return 'has an AccountKey and no AccountName'
  return undefined
}

function parseConnectionString(text: string): BlobAccess {
  const parts = new Map(
    text.split(';').map((part) => {
      // Keys end in `=` too.
      const at = part.indexOf('=')
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()]
    }),
  )
  const accountName = parts.get('AccountName') ?? ''
  const protocol = parts.get('DefaultEndpointsProtocol') ?? 'https'
  const suffix = parts.get('EndpointSuffix') ?? 'core.windows.net'
  const own = accountName === '' ? '' : renderEndpoint(protocol, accountName, suffix)
  const [accountKey, sas] = [parts.get('AccountKey'), parts.get('SharedAccessSignature')]
  return {
    endpoint: parts.get('BlobEndpoint') ?? own,
    accountName,
    ...(accountKey === undefined ? {} : { accountKey }),
    ...(sas === undefined ? {} : { sas }),
  }
}

function renderEndpoint(protocol: string, account: string, suffix: string): string {
  return `${protocol}://${account}.blob.${suffix}`
}
