import { WeirError } from '../core/error.ts'

/**
 * Takes http and https URLs without credentials; throws URL_NOT_ALLOWED for all else. The WHATWG parser has
 * turned numeric hosts (`2130706433`, `0x7f.1`) into dotted addresses by then, so the guard sees what is meant.
 */
export function parseTargetUrl(input: string | URL): URL {
  const url = input instanceof URL ? input : URL.parse(input)
  if (url === null) throw refuse('The URL cannot be parsed.', 'Give an absolute http or https URL.')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refuse(`The URL has the scheme ${url.protocol}`, 'Only http and https can be reached.')
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse(`The URL to ${url.host} holds a user name or password.`, 'Send credentials as a header.')
  }
  return url
}

// The URL itself stays out of the message: it may hold a secret.
function refuse(message: string, hint: string): WeirError {
  return new WeirError('URL_NOT_ALLOWED', message, { hint, data: { sent: false } })
}
