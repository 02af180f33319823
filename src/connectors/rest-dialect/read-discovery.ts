import { showHidden } from '../../core/hidden-text.ts'
import type { Logger } from '../../core/logger.ts'
import { isObject, parseJson } from '../../core/parse-json.ts'
import { type Definition, nameCharsMax, readServerDefinition } from './definition.ts'
import { protocolError } from './upstream-error.ts'

const toolsMax = 10_000
const discoveryLimits = { depthMax: 64, elementsMax: 2_000_000 }
/** Lines about single tools in one reading; a server that is all wrong is told of in one more. */
const linesMax = 20
const defaultHealthPath = '/health'

/** What a server answers to `GET /mcp/discover` (D4-012), as far as it can be used. */
export interface Discovery {
  readonly serverName: string
  /** Below the server's URL; begins with a slash. */
  readonly healthPath: string
  readonly definitions: readonly Definition[]
}

/** Leaves out, with a line in the log, what is no usable definition. Throws UPSTREAM_PROTOCOL for what is no discovery. */
export function readDiscovery(text: string, log: Logger): Discovery {
  const body = parse(text)
  if (!isObject(body)) throw protocolError('The server’s discovery is no object.')
  const { server_name: serverName, tools, health_check_url: health } = body
  if (typeof serverName !== 'string' || serverName === '' || serverName.length > nameCharsMax)
    throw protocolError('The server’s discovery has no usable `server_name`.')
  if (!Array.isArray(tools)) throw protocolError('The server’s discovery has no list of tools.')
  return {
    serverName,
    healthPath: typeof health === 'string' && isPath(health) ? health : defaultHealthPath,
    definitions: readTools(tools, serverName, log),
  }
}

function parse(text: string): unknown {
  try {
    return parseJson(text, discoveryLimits)
  } catch (cause) {
    throw protocolError(`The server’s discovery cannot be read: ${(cause as Error).message}`, cause)
  }
}

/** Nothing that leads to another host, or out of the path by another reading of it. */
function isPath(text: string): boolean {
  return /^\/(?!\/)[\w.~/-]{0,500}$/.test(text) && !text.includes('..')
}

function readTools(tools: readonly unknown[], serverName: string, log: Logger): readonly Definition[] {
  const byName = new Map<string, Definition>()
  let left = 0
  const leaveOut = (value: unknown, why: string) => {
    left += 1
    if (left > linesMax) return
    const name = isObject(value) && typeof value['name'] === 'string' ? value['name'] : undefined
    const fields = {
      event: 'tool.left-out',
      server_name: showHidden(serverName),
      tool: name && showHidden(name.slice(0, nameCharsMax)),
      why,
    }
    log.warn(fields, 'A tool of a server is left out.')
  }
  for (const value of tools.slice(0, toolsMax)) {
    try {
      const definition = readServerDefinition(value, serverName)
      if (byName.has(definition.name)) leaveOut(value, 'another before it has the same name')
      else byName.set(definition.name, definition)
    } catch (error) {
      leaveOut(value, showHidden((error as Error).message))
    }
  }
  left += Math.max(0, tools.length - toolsMax)
  if (left > linesMax)
    log.warn(
      { event: 'tool.left-out', server_name: showHidden(serverName), left },
      'Many tools are left out.',
    )
  return [...byName.values()]
}
