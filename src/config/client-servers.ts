import { BlockList, isIP } from 'node:net'
import type { z } from 'zod'
import { describeUnknownKey } from './check-value.ts'
import { clientBlocks, clientServerSchema, nameSchema } from './config.ts'
import type { ConfigDocument } from './document.ts'
import { isRecord, type Path } from './path.ts'
import type { Problems } from './problems.ts'

/** A connection before its connector has seen it. `path` is where the file says it. */
export interface RawConnection {
  readonly name: string
  readonly type: string
  readonly config: unknown
  readonly path: Path
}

type ClientServer = z.output<typeof clientServerSchema>

const keysOfProgram = ['command', 'args', 'env', 'cwd'] as const
const keysOfUrl = ['url', 'headers'] as const

/** What clients write beside the server itself, for themselves: how to show, approve and wait. */
const clientOnlyKeys = new Set(
  'alwaysAllow autoApprove timeout description envFile enabled name id icon iconPath trust version metadata gallery dev tools disabledTools enabledTools includeTools excludeTools oauth auth authProviderType headersHelper initTimeout startupTimeout note notes comment $comment isActive sandbox sandboxEnabled'.split(
    ' ',
  ),
)

/** The file's value without the servers that their client has disabled. */
export function withoutDisabled(value: unknown): unknown {
  if (!isRecord(value)) return value
  const copy = { ...value }
  for (const block of clientBlocks) {
    const servers = copy[block]
    if (!isRecord(servers)) continue
    copy[block] = Object.fromEntries(Object.entries(servers).filter(([, server]) => !isDisabled(server)))
  }
  return copy
}

function isDisabled(server: unknown): boolean {
  return isRecord(server) && (server['disabled'] === true || server['enabled'] === false)
}

/** The clients' servers as connections of type `mcp`, under names that Weir allows. */
export function readClientServers(
  file: unknown,
  document: ConfigDocument,
  problems: Problems,
): RawConnection[] {
  const found: RawConnection[] = []
  for (const block of clientBlocks) {
    const servers = isRecord(file) ? file[block] : undefined
    if (!isRecord(servers)) continue
    for (const [label, value] of Object.entries(servers)) {
      const path = [block, label]
      const server = clientServerSchema.safeParse(value)
      // What is wrong with it was noted when the file was checked.
      if (!server.success) continue
      const name = readName(label, path, document, problems)
      const config = readServer(server.data, path, document, problems)
      if (name !== undefined && config !== undefined) found.push({ name, type: 'mcp', config, path })
    }
  }
  return found
}

/** `My Server_2` is `my-server-2`, in every file and at every start. */
function readName(
  label: string,
  path: Path,
  document: ConfigDocument,
  problems: Problems,
): string | undefined {
  const name = label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  const checked = nameSchema.safeParse(name)
  if (checked.success) return name
  const why = checked.error.issues[0]?.message
  problems.add(
    path,
    document.locate(path, 'key'),
    `as a connection this is ${JSON.stringify(name)}; ${why}`,
    'rename it',
  )
  return undefined
}

function readServer(
  server: ClientServer,
  path: Path,
  document: ConfigDocument,
  problems: Problems,
): Record<string, unknown> | undefined {
  const { url } = server
  const at = document.locate(path, 'key')
  const fault = findFault(server)
  if (fault !== undefined) problems.add(path, at, ...fault)
  const used: readonly string[] = url === undefined ? keysOfProgram : keysOfUrl
  noteOtherKeys(server, used, path, document, problems)
  const config = Object.fromEntries(used.filter((key) => key in server).map((key) => [key, server[key]]))
  if (fault !== undefined) return undefined
  // Who writes a private address into the file means it; a name that resolves to one is another matter.
  return url !== undefined && isPrivateUrl(url) ? { ...config, allowPrivate: true } : config
}

/** What is wrong with the choice between a program and a URL, and the cure. */
function findFault({ type, command, url }: ClientServer): [string, string] | undefined {
  if (command !== undefined && url !== undefined) {
    return ['has both a command and a url', 'keep the one that is meant']
  }
  if (command === undefined && url === undefined) {
    return ['has neither a command nor a url', 'give it one of them']
  }
  const wanted = type === 'stdio' ? 'command' : 'url'
  const isThere = type === undefined || (type === 'stdio' ? command : url) !== undefined
  return isThere
    ? undefined
    : [`type ${JSON.stringify(type)} needs a ${wanted}`, 'correct the type, or leave it out']
}

function noteOtherKeys(
  server: ClientServer,
  used: readonly string[],
  path: Path,
  document: ConfigDocument,
  problems: Problems,
): void {
  const known = Object.keys(clientServerSchema.shape)
  for (const key of Object.keys(server)) {
    const whole = [...path, key]
    const at = document.locate(whole, 'key')
    if (used.includes(key) || key === 'type' || key === 'disabled') continue
    if (known.includes(key)) problems.warn(whole, at, 'ignored: it has no use for a server of this type')
    else if (clientOnlyKeys.has(key))
      problems.warn(whole, at, 'ignored: it is for the client it was written for')
    else problems.add(whole, at, ...describeUnknownKey(key, known))
  }
}

// Link-local addresses are left out on purpose: cloud machines keep their credentials there.
const privateAddresses = new BlockList()
privateAddresses.addSubnet('127.0.0.0', 8)
privateAddresses.addSubnet('10.0.0.0', 8)
privateAddresses.addSubnet('172.16.0.0', 12)
privateAddresses.addSubnet('192.168.0.0', 16)
privateAddresses.addAddress('::1', 'ipv6')
privateAddresses.addSubnet('fc00::', 7, 'ipv6')

/** Whether a URL names this machine or a private address by number. */
function isPrivateUrl(url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  const family = isIP(host)
  return family !== 0 && privateAddresses.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
