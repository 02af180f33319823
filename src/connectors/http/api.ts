import { WeirError } from '../../core/error.ts'
import type { Egress, EgressClient } from '../../egress/egress.ts'
import { listSecrets } from './credential.ts'
import type { ApiConfig } from './http-config.ts'
import { createRedactor, type Redactor } from './redact.ts'

/** One named API, ready for requests. */
export interface Api {
  readonly name: string
  readonly config: ApiConfig
  readonly base: URL
  readonly client: EgressClient
  readonly redactor: Redactor
}

/** Makes the API's own client: its own guard, its own sockets. */
export function openApi(name: string, config: ApiConfig, egress: Egress): Api {
  return {
    name,
    config,
    base: new URL(config.baseUrl),
    client: egress.client({
      allowPrivate: config.allowPrivate,
      allowPrivateKey: `apis.${name}.allowPrivate`,
    }),
    redactor: createRedactor(listSecrets(config)),
  }
}

/** Any answer means that the API is up. The credential stays at home: nothing here needs it. */
export async function checkApi(api: Api, signal: AbortSignal): Promise<void> {
  try {
    await api.client.request(api.base, { method: 'HEAD', redirect: 'manual', signal, totalTimeoutMs: 5_000 })
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown
    throw new WeirError(thrown.code, `API ${api.name}: ${thrown.message}`, {
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      data: { ...thrown.data, api_name: api.name },
      cause: thrown,
    })
  }
}
