import type { Logger } from '../../core/logger.ts'
import { isObject } from '../../core/parse-json.ts'
import type { Client } from './client.ts'
import { methodNotFound, protocolError, upstreamCode } from './upstream-error.ts'

/** A tool as the server defines it. */
export type ToolDefinition = Readonly<Record<string, unknown>> & { readonly name: string }

const pagesMax = 100
const toolsMax = 10_000

/** Every tool definition of the server, in its order, page by page. At the bounds it stops and says so in the log. */
export async function listTools(
  client: Client,
  log: Logger,
  signal: AbortSignal,
): Promise<readonly ToolDefinition[]> {
  const found = new Map<string, ToolDefinition>()
  const seen = new Set<string>()
  let cursor: string | undefined
  for (let page = 0; page < pagesMax; page += 1) {
    const result = await requestPage(client, cursor, signal)
    takePage(result['tools'], found, log)
    const next = result['nextCursor']
    if (typeof next !== 'string' || found.size >= toolsMax) break
    if (seen.has(next)) {
      log.warn({ page }, 'The MCP server’s list of tools leads in a circle; what came before it is used.')
      break
    }
    seen.add(next)
    cursor = next
    if (page === pagesMax - 1)
      log.warn({ pagesMax }, 'The MCP server’s list of tools has too many pages; the rest is left out.')
  }
  return [...found.values()]
}

async function requestPage(
  client: Client,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  try {
    return await client.control('tools/list', cursor === undefined ? {} : { cursor }, signal)
  } catch (error) {
    // A server without tools is a server all the same.
    if (upstreamCode(error) === methodNotFound && cursor === undefined) return { tools: [] }
    throw error
  }
}

function takePage(tools: unknown, found: Map<string, ToolDefinition>, log: Logger): void {
  if (!Array.isArray(tools)) throw protocolError('The MCP server’s list of tools is no list.')
  for (const definition of tools as readonly unknown[]) {
    if (found.size >= toolsMax) {
      log.warn({ toolsMax }, 'The MCP server has too many tools; the rest is left out.')
      return
    }
    if (!isObject(definition) || typeof definition['name'] !== 'string') {
      log.warn({}, 'The MCP server lists a tool without a name; it is left out.')
    } else if (found.has(definition['name'])) {
      log.warn(
        { tool: definition['name'].slice(0, 128) },
        'The MCP server lists a tool twice; the first is used.',
      )
    } else found.set(definition['name'], definition as ToolDefinition)
  }
}
