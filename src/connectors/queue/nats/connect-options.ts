import type { ConnectionOptions } from '@nats-io/transport-node'
import type { BrokerConfig } from '../broker.ts'

const connectTimeoutMs = 5000
const pingEveryMs = 10_000

/** Why a URL is none of NATS's; names no part that may be secret. */
export function problemOfNatsUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || url.hostname === '') return 'must be `nats://[user:password@]host[:port]`'
  if (url.search !== '' || url.hash !== '') return 'must hold neither a query nor a fragment'
  return /^\/?$/.test(url.pathname) ? undefined : 'must hold no path'
}

/** How Weir connects, once. Whoever connects tries again: the driver would keep what is sent meanwhile for later. */
export function createConnectOptions({ url, tls = {} }: BrokerConfig): ConnectionOptions {
  const { hostname, port, username, password, protocol } = new URL(url)
  const { serverName, ca, cert, key } = tls
  const user = decodeURIComponent(username)
  const credentials = password === '' ? { token: user } : { user, pass: decodeURIComponent(password) }
  const secure = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    // The driver hands on to Node what it does not know itself.
    ...(serverName === undefined ? {} : { servername: serverName }),
  }
  return {
    servers: `${hostname}:${port || '4222'}`,
    ...(user === '' ? {} : credentials),
    ...(protocol === 'tls:' ? { tls: secure } : {}),
    reconnect: false,
    ignoreClusterUpdates: true,
    timeout: connectTimeoutMs,
    pingInterval: pingEveryMs,
    noAsyncTraces: true,
  }
}
