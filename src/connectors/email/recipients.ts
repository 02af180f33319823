import { WeirError } from '../../core/error.ts'
import { compileGlobs } from '../../core/glob.ts'
import { domainOf, isAddress } from './mail-address.ts'

/** The most recipients of one message. */
const recipientsMax = 50
const shownMax = 20
const shownCharsMax = 100

/** Who gets a message: nobody twice, and nobody of `to` in `cc` too. */
export interface Recipients {
  readonly to: readonly string[]
  readonly cc: readonly string[]
}

/** What checks recipients. Throws INVALID_INPUT or RECIPIENT_NOT_ALLOWED, and names each address that is at fault. */
export function checkRecipients(
  domains: readonly string[] | undefined,
): (to: readonly string[], cc: readonly string[]) => Recipients {
  const isAllowed = domains && compileGlobs(domains.map((domain) => domain.toLowerCase()))
  return (to, cc) => {
    const all = [...to, ...cc]
    if (all.length === 0)
      throw new WeirError('INVALID_INPUT', 'No recipients specified', {
        hint: 'Give at least one address in `to`.',
        data: { sent: false },
      })
    const wrong = all.filter((address) => !isAddress(address))
    if (wrong.length > 0) throw refuse('INVALID_INPUT', 'Not an email address', wrong, addressHint)
    const once = dropRepeated(to, cc)
    const count = once.to.length + once.cc.length
    if (count > recipientsMax)
      throw new WeirError(
        'INVALID_INPUT',
        `${count} recipients; one message goes to at most ${recipientsMax}.`,
        {
          hint: 'Send several messages.',
          data: { recipients: count, recipientsMax, sent: false },
        },
      )
    const strangers = isAllowed === undefined ? [] : all.filter((address) => !isAllowed(domainOf(address)))
    if (strangers.length === 0) return once
    const hint = `Mail may go to these domains only: ${domains!.slice(0, shownMax).join(', ')}.`
    throw refuse('RECIPIENT_NOT_ALLOWED', 'Not an allowed recipient', strangers, hint)
  }
}

const addressHint =
  'Give plain addresses such as `ada@example.com`, without names; write a domain with other letters in punycode (`xn--…`).'

/** What stands before the `@` may differ in case and be another mailbox; the domain may not. */
function dropRepeated(to: readonly string[], cc: readonly string[]): Recipients {
  const seen = new Set<string>()
  const isNew = (address: string) => {
    const key = `${address.slice(0, address.lastIndexOf('@'))}@${domainOf(address)}`
    return seen.size < seen.add(key).size
  }
  return { to: to.filter(isNew), cc: cc.filter(isNew) }
}

function refuse(
  code: 'INVALID_INPUT' | 'RECIPIENT_NOT_ALLOWED',
  what: string,
  addresses: readonly string[],
  hint: string,
): WeirError {
  const shown = addresses.slice(0, shownMax).map((address) => address.slice(0, shownCharsMax))
  const more = addresses.length > shownMax ? ` and ${addresses.length - shownMax} more` : ''
  const message = `${what}: ${shown.map((address) => JSON.stringify(address)).join(', ')}${more}.`
  return new WeirError(code, message, { hint, data: { recipients: shown, sent: false } })
}
