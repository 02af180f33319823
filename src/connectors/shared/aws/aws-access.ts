import { type Clock, systemClock } from '../../../core/clock.ts'
import type { Egress, EgressClient } from '../../../egress/egress.ts'
import { abandonOn } from '../abandon-on.ts'
import { checkEndpoint } from '../cloud/check-endpoint.ts'
import { CredentialCache } from '../cloud/credential-cache.ts'
import type { AwsAccessConfig } from './aws-access-config.ts'
import { type AwsClientConfig, createAwsClientConfig } from './aws-client-config.ts'
import type { AwsCredentials } from './aws-credentials.ts'
import { createCredentialSource } from './credential-source.ts'
import { EgressRequestHandler, type RequestLimits } from './egress-request-handler.ts'
import { explainAwsError, isCredentialRefusal } from './explain-aws-error.ts'
import type { Environment } from './metadata-credentials.ts'

/** What access is made with. */
export interface AwsAccessParts {
  readonly egress: Egress
  readonly hostEnv: Environment
  readonly baseDir: string
  /** The connection's name, under which its sockets are counted. */
  readonly name: string
  readonly clock?: Clock
  /** Requests under way at once, where requests wait for something to happen. */
  readonly connectionsMax?: number
}

/** What one service's clients are made with, beside what all share. */
export interface AwsServiceAccess extends RequestLimits {
  /** The service's own endpoint, where it has one. */
  readonly endpoint?: string | undefined
}

const stsLimits: RequestLimits = { timeoutMs: 5_000, responseBytesMax: 256 * 1024 }

/**
 * One connection's way to AWS: one guard, one set of sockets, one set of credentials, for clients of any service. Nothing
 * is sent before the first call.
 */
export class AwsAccess {
  readonly #config: AwsAccessConfig
  readonly #client: EgressClient
  readonly #cache: CredentialCache<AwsCredentials>

  constructor(config: AwsAccessConfig, parts: AwsAccessParts) {
    const { egress, hostEnv, baseDir, name, clock = systemClock, connectionsMax } = parts
    this.#config = config
    this.#client = egress.client({
      name,
      allowPrivate: config.allowPrivate,
      ...(connectionsMax === undefined ? {} : { connectionsMax, connectionsPerOrigin: connectionsMax }),
    })
    const requestHandler = new EgressRequestHandler(this.#client, stsLimits)
    const stsConfig = (endpoint: string | undefined) =>
      createAwsClientConfig({ region: config.region, endpoint, requestHandler })
    const source = createCredentialSource(config, { egress, hostEnv, baseDir, stsConfig })
    this.#cache = new CredentialCache(source, clock)
  }

  /** For `new SQSClient(access.clientConfig(region, { … }))`. */
  clientConfig(region: string, { endpoint, ...limits }: AwsServiceAccess): AwsClientConfig {
    return createAwsClientConfig({
      region,
      endpoint: endpoint ?? this.#config.endpoint,
      requestHandler: new EgressRequestHandler(this.#client, limits),
      credentials: async () => {
        // An end in the past has the SDK ask for each request; the cache here decides for all clients.
        return { ...(await this.#cache.get()), expiration: new Date(0) }
      },
    })
  }

  /** What a client threw, as the caller may see it. `service` as people say it: `S3`. */
  explain(thrown: unknown, service: string, region: string): unknown {
    if (isCredentialRefusal(thrown)) this.#cache.expire()
    return explainAwsError(thrown, { service, region, secrets: this.#secrets() })
  }

  /**
   * Resolves where credentials can be had and every endpoint answers, whatever it answers; nothing of the credentials is
   * sent. Rejects with the first that does not, by the name in `endpoints`.
   */
  async check(endpoints: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await Promise.all(
      [...endpoints].map(([url, service]) => checkEndpoint(this.#client, url, service, signal)),
    )
    await abandonOn(signal, this.#cache.get())
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /** The values that must never reach a caller. */
  #secrets(): readonly string[] {
    const { secretAccessKey, sessionToken } = this.#cache.held ?? {}
    return [secretAccessKey, sessionToken].flatMap((value) => (value === undefined ? [] : [value]))
  }
}
