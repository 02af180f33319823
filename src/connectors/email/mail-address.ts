/** An address with the name it is shown under. */
export interface Mailbox {
  readonly name: string
  readonly address: string
}

/** What RFC 5321 lets stand before the `@` without quotes, and a domain of at least two labels. ASCII: others in punycode. */
export const addressPattern =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/

/** RFC 5321: 64 before the `@`, and 254 in all. */
const localCharsMax = 64
/** The most characters of an address. */
export const addressCharsMax = 254

/** Whether a text is one address and nothing else, in no notation that some server reads as two. */
export function isAddress(text: string): boolean {
  return text.length <= addressCharsMax && text.indexOf('@') <= localCharsMax && addressPattern.test(text)
}

/** The domain, which is the same whatever its case. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}

/** Reads `a@example.com` or `Name <a@example.com>`; undefined for all else. */
export function parseMailbox(text: string): Mailbox | undefined {
  if (isAddress(text)) return { name: '', address: text }
  const [, name = '', address = ''] = /^([^<>\p{Cc}]{1,200})<([^<>]+)>$/u.exec(text) ?? []
  return isAddress(address) ? { name: name.trim().replace(/^"(.*)"$/, '$1'), address } : undefined
}
