import type { Options, RecoveryOptions, SocketOptions } from 'amqplib'
import type { BrokerConfig } from '../broker.ts'

const heartbeatSeconds = 10
const connectTimeoutMs = 5000

/** Why a URL is none of RabbitMQ's; names no part that may be secret. */
export function problemOfAmqpUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || url.hostname === '') return 'must be `amqp://[user:password@]host[:port][/vhost]`'
  if (url.search !== '' || url.hash !== '') return 'must hold neither a query nor a fragment'
  if (!/^(?:\/[^/]*)?$/.test(url.pathname)) return 'the path must be the name of a virtual host'
  return undefined
}

/** How Weir connects: again and again by itself. */
export function createConnectOptions({ url, tls = {} }: BrokerConfig): {
  readonly where: Options.Connect
  readonly how: SocketOptions & { recovery: RecoveryOptions }
} {
  const { hostname, port, username, password, pathname, protocol } = new URL(url)
  const { serverName, ca, cert, key } = tls
  return {
    where: {
      protocol: protocol.slice(0, -1),
      hostname: hostname.replace(/^\[|\]$/g, ''),
      ...(port === '' ? {} : { port: Number(port) }),
      ...(username === '' && password === ''
        ? {}
        : { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
      // The driver unescapes it.
      ...(pathname.length > 1 ? { vhost: pathname.slice(1) } : {}),
      heartbeat: heartbeatSeconds,
    },
    how: {
      noDelay: true,
      timeout: connectTimeoutMs,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      recovery: { waitForConnect: false, initialDelay: 50, maxDelay: 1000 },
    },
  }
}
