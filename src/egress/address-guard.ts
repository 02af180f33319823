import type { LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { WeirError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import { type AddressClass, classifyAddress, embeddedV4 } from './classify-address.ts'
import type { Lookup } from './egress.ts'

/** Decides which addresses one client may connect to. */
export interface AddressGuard {
  /** The error for an address literal that may not be reached; undefined for names, which `lookup` judges. */
  refuseLiteral(hostname: string): WeirError | undefined
  /** Resolves a name and hands on its addresses only if every one of them is allowed, so none is resolved twice. */
  readonly lookup: LookupFunction
}

/** Which addresses a guard lets through, and how it resolves names. */
export interface AddressGuardOptions {
  readonly allowPrivate: boolean | readonly string[]
  readonly allowPrivateKey: string
  readonly lookup: Lookup
  readonly log: Logger
}

const plainPrivate: ReadonlySet<AddressClass> = new Set([
  'loopback',
  'private',
  'carrier-grade NAT',
  'unique-local',
])

/** Throws CONFIG_INVALID for an entry that is neither a host name, an address nor a CIDR block. */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const { allowPrivate, allowPrivateKey } = options
  const listed = parseAllowList(typeof allowPrivate === 'boolean' ? [] : allowPrivate, allowPrivateKey)

  const refuse = (host: string, address: string): WeirError | undefined => {
    const kind = classifyAddress(address)
    if (kind === 'public') return undefined
    if (allowPrivate === true && plainPrivate.has(kind)) return undefined
    if (listed.hosts.has(normaliseHost(host)) || isListed(address, listed.blocks)) return undefined
    options.log.warn({ host, address, addressClass: kind }, 'Refused to connect to an address.')
    return refusal(host, kind, allowPrivateKey)
  }

  return {
    refuseLiteral: (hostname) => {
      const bare = withoutBrackets(hostname)
      return isIP(bare) === 0 ? undefined : refuse(bare, bare)
    },
    lookup: (hostname, lookupOptions, callback) => {
      options.lookup(hostname, { ...lookupOptions, all: true }, (error, addresses) => {
        if (error !== null) return callback(error, [])
        const first = addresses[0]
        if (first === undefined) return callback(notFound(hostname), [])
        for (const { address } of addresses) {
          const error = refuse(hostname, address)
          if (error !== undefined) return callback(error, [])
        }
        if (lookupOptions.all === true) return callback(null, addresses as LookupAddress[])
        callback(null, first.address, first.family)
      })
    },
  }
}

// The address itself stays out of the message: a caller must not learn what internal names resolve to.
function refusal(host: string, kind: AddressClass, key: string): WeirError {
  const named = plainPrivate.has(kind) ? 'to true, or ' : ''
  return new WeirError(
    'ADDRESS_NOT_ALLOWED',
    `${host} leads to ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} address, which this connection may not reach.`,
    {
      hint: `If this is meant, set \`${key}\` of the connection ${named}to a list with this host or its network.`,
      data: { host, addressClass: kind, configKey: key, sent: false },
    },
  )
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address.`), { code: 'ENOTFOUND' })
}

function isListed(address: string, blocks: BlockList): boolean {
  const [bare = ''] = address.split('%')
  if (blocks.check(bare, isIP(bare) === 4 ? 'ipv4' : 'ipv6')) return true
  const embedded = embeddedV4(address)
  return embedded.length > 0 && embedded.every((inner) => blocks.check(inner, 'ipv4'))
}

function parseAllowList(entries: readonly string[], key: string) {
  const hosts = new Set<string>()
  const blocks = new BlockList()
  for (const entry of entries) {
    if (!addBlock(blocks, entry)) hosts.add(parseHost(entry, key))
  }
  return { hosts, blocks }
}

function addBlock(blocks: BlockList, entry: string): boolean {
  const [network = '', prefix, ...rest] = entry.split('/')
  if (rest.length > 0) return false
  const family = isIP(withoutBrackets(network))
  if (family === 0) return false
  const bits = family === 4 ? 32 : 128
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
  if (length < 0 || length > bits) return false
  blocks.addSubnet(withoutBrackets(network), length, family === 4 ? 'ipv4' : 'ipv6')
  return true
}

function parseHost(entry: string, key: string): string {
  const url = /^[^\s/:@?#*[\]\\]+$/.test(entry) ? URL.parse(`http://${entry}/`) : null
  if (url === null || isIP(withoutBrackets(url.hostname)) !== 0) {
    throw new WeirError('CONFIG_INVALID', `${key} has the entry ${JSON.stringify(entry)}.`, {
      hint: 'Write a host name without port or wildcard, an IP address, or a CIDR block such as 10.0.0.0/8.',
    })
  }
  return normaliseHost(url.hostname)
}

function normaliseHost(host: string): string {
  return (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase()
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
