import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'

/** How a server is reached by TLS: PEM texts, and the name its certificate bears where that is not the host's. */
export interface TlsConfig {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly serverName?: string | undefined
}

/**
 * What the driver gets; false: no TLS. Without a word it is on for every host but this machine itself. It is verified
 * wherever it is on, and a server that does not offer it is refused: nothing falls back to plain text.
 */
export function createTlsOptions(
  config: boolean | TlsConfig | undefined,
  sslMode: string | undefined,
  host: string,
): ConnectionOptions | false {
  const wanted = config ?? (sslMode === undefined ? !isThisMachine(host) : sslMode !== 'disable')
  if (wanted === false) return false
  const { ca, cert, key, serverName } = wanted === true ? ({} as TlsConfig) : wanted
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined
      ? {}
      : {
          servername: serverName,
          checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
        }),
  }
}

/** Loopback and Unix sockets: nobody listens in between. */
function isThisMachine(host: string): boolean {
  return (
    host.startsWith('/') ||
    host === 'localhost' ||
    host === '::1' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  )
}
