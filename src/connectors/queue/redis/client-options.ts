import type { RedisClientOptions } from 'redis'
import type { BrokerConfig } from '../broker.ts'

/** What one connection may have under way at most; more is refused and never kept. */
const commandsMax = 10_000
const connectTimeoutMs = 5000
const reconnectMsMax = 1000

/** Why a URL is none of Redis's; names no part that may be secret. */
export function problemOfRedisUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || url.hostname === '') return 'must be `redis://[user:password@]host[:port][/number]`'
  if (url.search !== '' || url.hash !== '') return 'must hold neither a query nor a fragment'
  if (!/^(?:\/(?:\d{1,4})?)?$/.test(url.pathname)) return 'the path must be the number of a database'
  return undefined
}

/** How Weir connects: by itself again and again, and with nothing queued while there is no connection. */
export function createClientOptions({ url, tls = {} }: BrokerConfig): RedisClientOptions {
  const { hostname, port, username, password, pathname, protocol } = new URL(url)
  const { serverName, ...pems } = tls
  const common = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    connectTimeout: connectTimeoutMs,
    reconnectStrategy: (retries: number) =>
      Math.min(reconnectMsMax, 50 * 2 ** Math.min(retries, 10)) + Math.random() * 100,
  }
  const secure = {
    ...common,
    tls: true as const,
    ...pems,
    ...(serverName === undefined ? {} : { servername: serverName }),
  }
  return {
    socket: protocol === 'rediss:' ? (secure as RedisClientOptions['socket'] & object) : common,
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    database: Number(pathname.slice(1) || 0),
    disableOfflineQueue: true,
    disableClientInfo: true,
    commandsQueueMaxLength: commandsMax,
    maintNotifications: 'disabled',
  }
}
