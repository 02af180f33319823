import { isIP } from 'node:net'
import { WeirError } from '../../core/error.ts'

/** Who may be named in Host and Origin beside loopback. */
export interface OriginRules {
  /** Host names beside loopback that this listener is reached by, with or without a port. */
  readonly allowedHosts: readonly string[]
  /** Origins of web pages that may call, as browsers send them: `https://app.example`. */
  readonly allowedOrigins: readonly string[]
}

const loopbackHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i

/** Whether a listener bound to this host can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/**
 * S7: a web page that resolves its own name to our address is told apart by its Host, one that simply calls us by its
 * Origin. Throws HOST_NOT_ALLOWED or ORIGIN_NOT_ALLOWED. A request without an Origin comes from no page. Gives the
 * origin where it is another one that the operator listed, whose browser must be told so.
 */
export function createOriginCheck(
  rules: OriginRules,
): (host: string | undefined, origin: string | undefined) => string | undefined {
  const hosts = new Set(rules.allowedHosts.map((host) => host.toLowerCase()))
  const origins = new Set(rules.allowedOrigins)
  const isOurHost = (host: string) =>
    loopbackHost.test(host) ||
    hosts.has(host.toLowerCase()) ||
    hosts.has(host.toLowerCase().replace(/:\d+$/, ''))

  return (host = '', origin) => {
    if (!isOurHost(host)) {
      throw new WeirError('HOST_NOT_ALLOWED', `The host ${JSON.stringify(host)} is not served here.`, {
        hint: 'Add the name to server.allowedHosts if it is yours.',
      })
    }
    if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return undefined
    if (origins.has(origin)) return origin
    throw new WeirError('ORIGIN_NOT_ALLOWED', `Pages of ${JSON.stringify(origin)} may not call Weir.`, {
      hint: 'Add the origin to server.allowedOrigins if the page is yours.',
    })
  }
}
