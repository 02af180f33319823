import type { DynamoDB } from '@aws-sdk/client-dynamodb'
import type { Lambda } from '@aws-sdk/client-lambda'
import type { S3 } from '@aws-sdk/client-s3'
import type { SecretsManager } from '@aws-sdk/client-secrets-manager'
import type { SNS } from '@aws-sdk/client-sns'
import type { SQS } from '@aws-sdk/client-sqs'
import { abandonOn } from '../shared/abandon-on.ts'
import type { AwsAccess, AwsServiceAccess } from '../shared/aws/aws-access.ts'
import type { AwsClientConfig } from '../shared/aws/aws-client-config.ts'
import { createAllowList } from '../shared/cloud/allow-list.ts'
import type { Abortable } from '../shared/cloud/object-store.ts'
import type { AwsConfig } from './aws-config.ts'

interface ServiceClients {
  readonly s3: S3
  readonly dynamodb: DynamoDB
  readonly lambda: Lambda
  readonly sqs: SQS
  readonly sns: SNS
  readonly secrets: SecretsManager
}

/** A service of this connector, by its config key. */
export type ServiceKey = keyof ServiceClients

/** One service as people say it and as its host name begins. */
export const serviceNames: Readonly<Record<ServiceKey, { readonly title: string; readonly host: string }>> = {
  s3: { title: 'S3', host: 's3' },
  dynamodb: { title: 'DynamoDB', host: 'dynamodb' },
  lambda: { title: 'Lambda', host: 'lambda' },
  sqs: { title: 'SQS', host: 'sqs' },
  sns: { title: 'SNS', host: 'sns' },
  secrets: { title: 'Secrets Manager', host: 'secretsmanager' },
}

/** Clients at hand; one more makes room by dropping the one that was used longest ago. */
const clientsMax = 64
const timeoutMs = 30_000
const megabyte = 1024 * 1024

/** The SDK's clients by service and region (D0-051), loaded and made when first needed. */
export class AwsClients {
  readonly #config: AwsConfig
  readonly #access: AwsAccess
  readonly #clients = new Map<string, Promise<ServiceClients[ServiceKey]>>()
  readonly #checkRegion: (region: string) => void

  constructor(config: AwsConfig, access: AwsAccess) {
    this.#config = config
    this.#access = access
    this.#checkRegion = createAllowList('region', 'regions', [...config.regions, config.region])
  }

  /**
   * One request to a service. Rejects with what the caller may see of its failure, and with the reason of the signal as
   * soon as that aborts, whatever the SDK is about.
   */
  async send<S extends ServiceKey, T>(
    service: S,
    region: string,
    { signal }: Abortable,
    request: (client: ServiceClients[S], options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted()
    this.#checkRegion(region)
    const client = await this.#find(service, region)
    try {
      return await abandonOn(signal, request(client, { abortSignal: signal }))
    } catch (thrown) {
      signal.throwIfAborted()
      throw this.#access.explain(thrown, serviceNames[service].title, region)
    }
  }

  #find<S extends ServiceKey>(service: S, region: string): Promise<ServiceClients[S]> {
    const key = `${service}_${region}`
    const known = this.#clients.get(key) as Promise<ServiceClients[S]> | undefined
    if (known === undefined) return this.#load(service, region, key)
    // Taken out and put in again, so that the map is in the order of use.
    this.#clients.delete(key)
    this.#clients.set(key, known)
    return known
  }

  #load<S extends ServiceKey>(service: S, region: string, key: string): Promise<ServiceClients[S]> {
    const client = loaders[service](this.#access, region, this.#config)
    this.#clients.set(key, client)
    // What could not be loaded is tried again with the next call.
    client.catch(() => this.#clients.delete(key))
    const [oldest] = this.#clients.keys()
    if (this.#clients.size > clientsMax && oldest !== undefined) this.#clients.delete(oldest)
    return client
  }
}

type Load<S extends ServiceKey> = (
  access: AwsAccess,
  region: string,
  config: AwsConfig,
) => Promise<ServiceClients[S]>

const loaders: { readonly [S in ServiceKey]: Load<S> } = {
  async s3(access, region, config) {
    const { S3 } = await import('@aws-sdk/client-s3')
    const {
      endpoint = config.endpoint,
      objectBytesMax = 0,
      pathStyle = endpoint !== undefined,
    } = config.s3 ?? {}
    return new S3({
      // A page of a thousand long keys takes up to four megabytes.
      ...configure(access, region, { endpoint, responseBytesMax: Math.max(objectBytesMax, 4 * megabyte) }),
      forcePathStyle: pathStyle,
      // What follows is said for the same reason as the rest: else it is looked up in the environment and in files.
      requestChecksumCalculation: 'WHEN_SUPPORTED',
      responseChecksumValidation: 'WHEN_SUPPORTED',
      disableS3ExpressSessionAuth: false,
      useArnRegion: false,
      expectContinueHeader: false,
    })
  },
  async dynamodb(access, region, config) {
    const { DynamoDB } = await import('@aws-sdk/client-dynamodb')
    return new DynamoDB({
      ...configure(access, region, { endpoint: config.dynamodb?.endpoint }),
      accountIdEndpointMode: 'disabled',
      endpointDiscoveryEnabled: false,
    })
  },
  async lambda(access, region, config) {
    const { Lambda } = await import('@aws-sdk/client-lambda')
    return new Lambda(configure(access, region, config.lambda ?? {}))
  },
  async sqs(access, region, config) {
    const { SQS } = await import('@aws-sdk/client-sqs')
    return new SQS({
      ...configure(access, region, { endpoint: config.sqs?.endpoint }),
      // A queue's URL comes from the caller: it names the queue, and never decides where a signed request goes.
      useQueueUrlAsEndpoint: false,
    })
  },
  async sns(access, region, config) {
    const { SNS } = await import('@aws-sdk/client-sns')
    return new SNS(configure(access, region, { endpoint: config.sns?.endpoint }))
  },
  async secrets(access, region, config) {
    const { SecretsManager } = await import('@aws-sdk/client-secrets-manager')
    return new SecretsManager(configure(access, region, { endpoint: config.secrets?.endpoint }))
  },
}

function configure(access: AwsAccess, region: string, own: Partial<AwsServiceAccess>): AwsClientConfig {
  return access.clientConfig(region, {
    endpoint: own.endpoint,
    timeoutMs: own.timeoutMs ?? timeoutMs,
    responseBytesMax: own.responseBytesMax ?? 16 * megabyte,
  })
}
