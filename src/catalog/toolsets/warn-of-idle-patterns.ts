import type { ConnectionStatus, View } from '../../core/catalog.ts'
import { compileGlob } from '../../core/glob.ts'
import type { Logger } from '../../core/logger.ts'
import type { Toolset } from './toolset.ts'

/** Patterns that one log line names. */
const namedMax = 20

/**
 * Says which patterns of a toolset match nothing, most often for a slip of the pen. Call it once all connections have
 * had their chance. Of one that is not up nothing is known; and resources may be there without being listed.
 */
export function warnOfIdlePatterns(
  name: string,
  toolset: Toolset,
  all: View,
  connections: readonly ConnectionStatus[],
  log: Logger,
): void {
  const down = connections.filter(({ state }) => state !== 'up').map((connection) => connection.name)
  const toolIds = all.tools.list().map(({ entry }) => entry.id)
  const promptIds = all.prompts.list().map(({ entry }) => `${entry.connection}:${entry.target.name}`)
  const isIdle = (ids: readonly string[]) => (pattern: string) => {
    const matchesConnection = compileGlob(pattern.split(':')[0] ?? '')
    return !down.some(matchesConnection) && !ids.some(compileGlob(pattern))
  }
  const ofTools = [
    ...toolset.tools.map((item) => (typeof item === 'string' ? item : item.tool)),
    ...toolset.exclude,
    ...toolset.pinned,
  ]
  const patterns = [...ofTools.filter(isIdle(toolIds)), ...toolset.prompts.filter(isIdle(promptIds))]
  if (patterns.length === 0) return
  const fields = { event: 'toolset.idle-patterns', toolset: name, patterns: patterns.slice(0, namedMax) }
  log.warn(fields, 'Patterns of a toolset match nothing.')
}
