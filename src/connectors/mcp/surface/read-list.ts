import type { Logger } from '../../../core/logger.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Client } from '../client.ts'
import { methodNotFound, protocolError, upstreamCode } from '../upstream-error.ts'
import type { ListKind } from './list-kinds.ts'

/** An item of a list as the server defines it. */
export type Definition = Readonly<Record<string, unknown>>

const pagesMax = 100

/**
 * Every definition of one of the server's lists under its name, in the server's order, page by page. At the bounds it
 * stops and says so in the log. Servers that keep tools and forget to declare them are common, so tools are always asked for.
 */
export async function readList(
  client: Client,
  kind: ListKind,
  log: Logger,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Definition>> {
  const found = new Map<string, Definition>()
  if (kind.capability !== 'tools' && client.capabilities[kind.capability] === undefined) return found
  const seen = new Set<string>()
  const { method } = kind
  let cursor: string | undefined
  let dropped = 0
  for (let page = 0; page < pagesMax; page += 1) {
    const result = await requestPage(client, kind, cursor, signal)
    dropped += takePage(result[kind.member], kind, found)
    const next = result['nextCursor']
    if (typeof next !== 'string' || found.size >= kind.itemsMax) break
    if (seen.has(next)) {
      log.warn({ method, page }, 'A list of the MCP server leads in a circle; what came before it is used.')
      break
    }
    seen.add(next)
    cursor = next
    if (page === pagesMax - 1)
      log.warn({ method, pagesMax }, 'A list of the MCP server has too many pages; the rest is left out.')
  }
  // One line whatever their number, so that a bad list cannot flood the log.
  if (dropped > 0) log.warn({ method, dropped, kept: found.size }, droppedText)
  return found
}

const droppedText =
  'A list of the MCP server has items without a name, twice or too many; these are left out.'

async function requestPage(
  client: Client,
  { method, member }: ListKind,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  try {
    return await client.control(method, cursor === undefined ? {} : { cursor }, signal)
  } catch (error) {
    // A server that lacks one list is a server all the same.
    if (upstreamCode(error) === methodNotFound && cursor === undefined) return { [member]: [] }
    throw error
  }
}

/** How many items had to be dropped. */
function takePage(
  items: unknown,
  { member, key, itemsMax }: ListKind,
  found: Map<string, Definition>,
): number {
  if (!Array.isArray(items)) throw protocolError(`The MCP server’s list of ${member} is no list.`)
  let dropped = 0
  for (const item of items as readonly unknown[]) {
    const name = isObject(item) ? item[key] : undefined
    if (typeof name !== 'string' || found.has(name) || found.size >= itemsMax) dropped += 1
    else found.set(name, item as Definition)
  }
  return dropped
}
