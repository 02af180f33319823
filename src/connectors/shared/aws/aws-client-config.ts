import type { CredentialSource } from './aws-credentials.ts'
import type { EgressRequestHandler } from './egress-request-handler.ts'

/** What every SDK client is made with. */
export type AwsClientConfig = ReturnType<typeof createAwsClientConfig>

/** What differs between clients. */
export interface AwsClientDifferences {
  readonly region: string
  readonly endpoint?: string | undefined
  readonly requestHandler: EgressRequestHandler
  readonly credentials?: CredentialSource
}

/**
 * Says everything that the SDK would otherwise look up in the environment and the shared files (an endpoint to send
 * signed requests to, among others), and leaves retries to Weir.
 */
export function createAwsClientConfig(differences: AwsClientDifferences) {
  const { region, endpoint, requestHandler, credentials } = differences
  return {
    region,
    requestHandler,
    ignoreConfiguredEndpointUrls: true,
    maxAttempts: 1,
    retryMode: 'standard' as const,
    defaultsMode: 'standard' as const,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: 'weir',
    authSchemePreference: [] as string[],
    disableClockSkewCorrection: false,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  }
}
