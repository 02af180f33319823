import { resolve } from 'node:path'
import { WeirError } from '../../../core/error.ts'
import type { Egress } from '../../../egress/egress.ts'
import type { AwsAccessConfig, AwsCredentialsConfig } from './aws-access-config.ts'
import type { AwsClientConfig } from './aws-client-config.ts'
import type { AwsCredentials, CredentialSource } from './aws-credentials.ts'
import { explainCredentialFailure } from './explain-aws-error.ts'
import {
  type Environment,
  readContainerCredentials,
  readInstanceCredentials,
} from './metadata-credentials.ts'

const metadataEndpoint = 'http://169.254.169.254'

/** What sources of credentials are made with. */
export interface CredentialSourceParts {
  readonly egress: Egress
  readonly hostEnv: Environment
  /** Relative paths in the config begin here. */
  readonly baseDir: string
  /** For the SDK's own requests to STS and SSO: through egress, and without a look at files or environment. */
  readonly stsConfig: (endpoint: string | undefined) => AwsClientConfig
}

/** One source for what the configuration says, and none for what it does not say. */
export function createCredentialSource(
  config: AwsAccessConfig,
  parts: CredentialSourceParts,
): CredentialSource {
  const { credentials, endpoint } = config
  const base = createBaseSource(credentials, endpoint, parts)
  const { role } = credentials
  const source = role === undefined ? base : assumeRole(role, endpoint, base, parts)
  const whose = describe(credentials)
  return async () => {
    try {
      return await source()
    } catch (thrown) {
      throw explainCredentialFailure(thrown, whose)
    }
  }
}

function createBaseSource(
  credentials: AwsCredentialsConfig,
  endpoint: string | undefined,
  parts: CredentialSourceParts,
): CredentialSource {
  if ('profile' in credentials) return readProfile(credentials, endpoint, parts)
  if ('environment' in credentials) return () => readEnvironment(endpoint, parts)
  if ('instance' in credentials) {
    const { instance } = credentials
    return readInstanceCredentials(parts.egress, instance === true ? metadataEndpoint : instance.endpoint)
  }
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const keys = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  return async () => keys
}

function describe(credentials: AwsCredentialsConfig): string {
  const from =
    'profile' in credentials
      ? `of profile ${JSON.stringify(credentials.profile)}`
      : 'environment' in credentials
        ? 'of the environment'
        : 'instance' in credentials
          ? 'of this machine'
          : 'of the configuration'
  return credentials.role === undefined ? from : `of role ${credentials.role.arn}`
}

/** The shared files are read anew each time, so that a rotated key is taken without a restart. */
function readProfile(
  { profile, configFile, credentialsFile }: Extract<AwsCredentialsConfig, { profile: string }>,
  endpoint: string | undefined,
  { baseDir, stsConfig }: CredentialSourceParts,
): CredentialSource {
  const clientConfig = stsConfig(endpoint)
  return async () => {
    const { fromIni } = await import('@aws-sdk/credential-providers')
    return await fromIni({
      profile,
      ignoreCache: true,
      clientConfig,
      // Of the client that asks, only this is read.
      parentClientConfig: { region: clientConfig.region, requestHandler: clientConfig.requestHandler },
      ...(configFile === undefined ? {} : { configFilepath: resolve(baseDir, configFile) }),
      ...(credentialsFile === undefined ? {} : { filepath: resolve(baseDir, credentialsFile) }),
    })()
  }
}

async function readEnvironment(
  endpoint: string | undefined,
  { egress, hostEnv, stsConfig }: CredentialSourceParts,
): Promise<AwsCredentials> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = hostEnv
  if (accessKeyId && secretAccessKey) {
    const sessionToken = hostEnv['AWS_SESSION_TOKEN']
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
  }
  const { AWS_WEB_IDENTITY_TOKEN_FILE: webIdentityTokenFile, AWS_ROLE_ARN: roleArn } = hostEnv
  if (webIdentityTokenFile && roleArn) {
    const { fromTokenFile } = await import('@aws-sdk/credential-providers')
    const roleSessionName = hostEnv['AWS_ROLE_SESSION_NAME'] || 'weir'
    const clientConfig = stsConfig(endpoint)
    return await fromTokenFile({ webIdentityTokenFile, roleArn, roleSessionName, clientConfig })()
  }
  const container = readContainerCredentials(egress, hostEnv)
  if (container !== undefined) return await container()
  throw new WeirError('UPSTREAM_AUTH', 'The environment of Weir holds no AWS credentials.', {
    hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run Weir where the platform provides a role.',
    data: { sent: false },
  })
}

function assumeRole(
  { arn, externalId, sessionName, endpoint }: NonNullable<AwsCredentialsConfig['role']>,
  common: string | undefined,
  base: CredentialSource,
  { stsConfig }: CredentialSourceParts,
): CredentialSource {
  const clientConfig = stsConfig(endpoint ?? common)
  return async () => {
    const { fromTemporaryCredentials } = await import('@aws-sdk/credential-providers')
    return await fromTemporaryCredentials({
      masterCredentials: base,
      params: {
        RoleArn: arn,
        RoleSessionName: sessionName,
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
      },
      clientConfig,
    })()
  }
}
