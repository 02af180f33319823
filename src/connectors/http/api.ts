import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { Egress, EgressClient } from '../../egress/egress.ts'
import type { Counter, Metrics } from '../../telemetry/metrics.ts'
import type { Credential } from './auth/credential.ts'
import { createFixedCredential, listSecrets } from './auth/fixed-credential.ts'
import { OAuthCredential } from './auth/oauth-credential.ts'
import type { ApiConfig } from './http-config.ts'
import { createHeaderMerger, type HeaderMerger } from './merge-headers.ts'
import { createRedactor, type Redactor } from './redact.ts'
import { readTransport } from './transport-config.ts'

/** One named API, ready for requests. */
export interface Api {
  readonly name: string
  readonly config: ApiConfig
  readonly base: URL
  readonly client: EgressClient
  readonly credential: Credential
  readonly mergeHeaders: HeaderMerger
  readonly redactor: Redactor
  /** Counts one request (D3-103). `endpoint`: a name that the catalog bounds. */
  count(endpoint: string): void
}

/** What APIs are opened with. */
export interface ApiParts {
  /** The connection's name, for metrics. */
  readonly connection: string
  readonly egress: Egress
  readonly clock: Clock
  readonly metrics?: Metrics | undefined
}

/** Makes the API's own client: its own guard, its own sockets. Nothing is sent. */
export function openApi(name: string, config: ApiConfig, parts: ApiParts): Api {
  const redactor = createRedactor(listSecrets(config))
  const client = openClient(name, config, parts)
  const credential = openCredential(name, config, parts, redactor)
  return {
    name,
    config,
    // Whoever opens APIs has seen to it that each has one.
    base: new URL(config.baseUrl!),
    client,
    credential,
    mergeHeaders: createHeaderMerger(name, config.headers, credential.headerName),
    redactor,
    count: createCount(name, parts.metrics),
  }
}

function createCount(service: string, metrics: Metrics | undefined): Api['count'] {
  if (metrics === undefined) return () => {}
  const counters = new Map<string, Counter>()
  return (endpoint) => {
    let counter = counters.get(endpoint)
    if (counter === undefined) {
      const labels = { service, endpoint }
      counter = metrics.counter('external_api_calls_total', 'Requests to named APIs.', labels)
      counters.set(endpoint, counter)
    }
    counter.value += 1
  }
}

function openClient(name: string, config: ApiConfig, { egress, connection }: ApiParts): EgressClient {
  const options = {
    ...readTransport(config),
    name: connection,
    allowPrivate: config.allowPrivate,
    allowPrivateKey: `apis.${name}.allowPrivate`,
  }
  try {
    return egress.client(options)
  } catch (thrown) {
    throw nameApi(name, thrown)
  }
}

/** Tokens come over a client of their own, so that a client certificate, or a guard that is open wider, is the API's alone. */
function openCredential(
  apiName: string,
  { auth }: ApiConfig,
  { egress, clock, connection }: ApiParts,
  redactor: Redactor,
): Credential {
  if (auth === undefined || !('oauth' in auth)) return createFixedCredential(auth)
  const { oauth } = auth
  const client = egress.client({
    name: connection,
    allowPrivate: oauth.allowPrivate,
    allowPrivateKey: `apis.${apiName}.auth.oauth.allowPrivate`,
    connectionsMax: 2,
  })
  return new OAuthCredential({ apiName, oauth, client, clock, onToken: redactor.learn })
}

/**
 * Any answer means that the API is up, and so for whatever issues its tokens. The credential stays at home: nothing
 * here needs it.
 */
export async function checkApi(api: Api, signal: AbortSignal): Promise<void> {
  try {
    const head = { method: 'HEAD', redirect: 'manual', isCheck: true } as const
    await api.client.request(api.base, { ...head, signal, totalTimeoutMs: 5_000 })
    await api.credential.check(signal)
  } catch (thrown) {
    throw nameApi(api.name, thrown)
  }
}

function nameApi(name: string, thrown: unknown): unknown {
  if (!(thrown instanceof WeirError)) return thrown
  return new WeirError(thrown.code, `API ${name}: ${thrown.message}`, {
    ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    data: { ...thrown.data, api_name: name },
    cause: thrown,
  })
}

/** Safe to call twice. */
export async function closeApi({ client, credential }: Api): Promise<void> {
  await Promise.all([client.close(), credential.close()])
}
