import { BlockList, isIPv4 } from 'node:net'

/** What kind of address it is, as IANA's special-purpose registries have it. Only `public` is reachable unasked. */
export type AddressClass =
  | 'public'
  | 'loopback'
  | 'private'
  | 'carrier-grade NAT'
  | 'unique-local'
  | 'link-local'
  | 'cloud metadata'
  | 'unspecified'
  | 'multicast'
  | 'documentation'
  | 'reserved'

type Range = readonly [block: string, kind: AddressClass]

// The first match counts. Some metadata services live inside ordinary ranges, one even on a public address.
const ranges4: readonly Range[] = [
  ['169.254.169.254/32', 'cloud metadata'],
  ['169.254.170.2/32', 'cloud metadata'],
  ['100.100.100.200/32', 'cloud metadata'],
  ['168.63.129.16/32', 'cloud metadata'],
  ['192.0.0.192/32', 'cloud metadata'],
  ['0.0.0.0/8', 'unspecified'],
  ['127.0.0.0/8', 'loopback'],
  ['10.0.0.0/8', 'private'],
  ['172.16.0.0/12', 'private'],
  ['192.168.0.0/16', 'private'],
  ['100.64.0.0/10', 'carrier-grade NAT'],
  ['169.254.0.0/16', 'link-local'],
  ['192.0.2.0/24', 'documentation'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['192.0.0.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['198.18.0.0/15', 'reserved'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
]

// What is not in 2000::/3, the global unicast space, and not named here is reserved.
const ranges6: readonly Range[] = [
  ['fd00:ec2::254/128', 'cloud metadata'],
  ['fd20:ce::254/128', 'cloud metadata'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['fc00::/7', 'unique-local'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'private'],
  ['ff00::/8', 'multicast'],
  ['2001:db8::/32', 'documentation'],
  ['3fff::/20', 'documentation'],
  ['2001::/23', 'reserved'],
  ['2000::/3', 'public'],
]

const compile = (ranges: readonly Range[], type: 'ipv4' | 'ipv6') =>
  ranges.map(([block, kind]) => {
    const [network, prefix] = block.split('/') as [string, string]
    const list = new BlockList()
    list.addSubnet(network, Number(prefix), type)
    return { list, kind }
  })

const table4 = compile(ranges4, 'ipv4')
const table6 = compile(ranges6, 'ipv6')

/** Judges one IP address. What cannot be parsed is `reserved`: the guard fails closed. */
export function classifyAddress(address: string): AddressClass {
  if (isIPv4(address)) return classify4(address)
  const groups = parseGroups(address)
  if (groups === undefined) return 'reserved'
  const embedded = embeddedAddresses(groups)
  if (embedded.length === 0) return classify6(address)
  return embedded.map(classify4).find((kind) => kind !== 'public') ?? 'public'
}

/**
 * The IPv4 addresses that packets to this IPv6 address may end up at: mapped, compatible and translated
 * forms, NAT64, 6to4, and both ends of Teredo. Empty for every other address.
 */
export function embeddedV4(address: string): readonly string[] {
  const groups = isIPv4(address) ? undefined : parseGroups(address)
  return groups === undefined ? [] : embeddedAddresses(groups)
}

function classify4(address: string): AddressClass {
  return table4.find(({ list }) => list.check(address, 'ipv4'))?.kind ?? 'public'
}

function classify6(address: string): AddressClass {
  const bare = withoutZone(address)
  return table6.find(({ list }) => list.check(bare, 'ipv6'))?.kind ?? 'reserved'
}

function embeddedAddresses(groups: readonly number[]): string[] {
  const [a = 0, b = 0, c = 0] = groups
  const zeros = (upTo: number) => groups.slice(0, upTo).every((group) => group === 0)
  if (zeros(5) && groups[5] === 0xffff) return [quad(groups, 6)]
  if (zeros(4) && groups[4] === 0xffff && groups[5] === 0) return [quad(groups, 6)]
  if (zeros(6) && (groups[6] !== 0 || groups[7]! > 1)) return [quad(groups, 6)]
  if (a === 0x64 && b === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) return [quad(groups, 6)]
  if (a === 0x2002) return [quad([b, c], 0)]
  // Teredo keeps its server's address in the clear and its client's with every bit turned over.
  if (a === 0x2001 && b === 0) return [quad(groups, 2), quad([groups[6]! ^ 0xffff, groups[7]! ^ 0xffff], 0)]
  return []
}

function quad(groups: readonly number[], at: number): string {
  const [high, low] = [groups[at]!, groups[at + 1]!]
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`
}

/** Eight 16-bit groups. The URL parser does the hard part: dotted tails, case and leading zeros. */
function parseGroups(address: string): number[] | undefined {
  const url = URL.parse(`http://[${withoutZone(address)}]/`)
  if (url === null) return undefined
  const [head = '', tail] = url.hostname.slice(1, -1).split('::')
  const parse = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const front = parse(head)
  if (tail === undefined) return front
  const back = parse(tail)
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back]
}

function withoutZone(address: string): string {
  const percent = address.indexOf('%')
  return percent === -1 ? address : address.slice(0, percent)
}
