import type { BaseOptions } from '@platformatic/kafka'
import type { BrokerConfig } from '../broker.ts'
import type { KafkaOptions } from './kafka-options.ts'

const defaultPort = 9092

/** Why a URL is none of Kafka's; names no part that may be secret. */
export function problemOfKafkaUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || url.hostname === '') return 'must be `kafka://[user:password@]host[:port]`'
  if (url.search !== '' || url.hash !== '') return 'must hold neither a query nor a fragment'
  return /^\/?$/.test(url.pathname) ? undefined : 'must hold no path'
}

/** How every client of one broker connects. The driver tries a few times, within the time that a call may take. */
export function createClientOptions({ url, tls = {}, options }: BrokerConfig): BaseOptions {
  const { hostname, port, username, password, protocol } = new URL(url)
  const { serverName, ca, cert, key } = tls
  const secure = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
  const credentials = {
    mechanism: (options as KafkaOptions).sasl,
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
  }
  return {
    clientId: 'weir',
    bootstrapBrokers: [{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || defaultPort) }],
    ...(protocol === 'kafkas:' ? { tls: secure, tlsServerName: serverName ?? true } : {}),
    ...(username === '' ? {} : { sasl: credentials }),
    connectTimeout: 3000,
    requestTimeout: 10_000,
    timeout: 4000,
    retries: 8,
    retryDelay: 150,
    autocreateTopics: (options as KafkaOptions).declare,
  }
}
