import type { z } from 'zod'
import { findNearestKey } from '../core/nearest-key.ts'
import type { CheckedConnection } from './check-connections.ts'
import type { fileSchema } from './config.ts'
import { suggest } from './describe-issue.ts'
import type { ConfigDocument } from './document.ts'
import { type Path, renderPath } from './path.ts'
import type { Problems } from './problems.ts'
import { searchToolNames, type toolsetSchema } from './toolset-schema.ts'

type Toolset = z.output<typeof toolsetSchema>

/** What no schema can say of toolsets: which names are taken, and which are not there. */
export function checkToolsets(
  { toolsets, server }: Pick<z.output<typeof fileSchema>, 'toolsets' | 'server'>,
  connections: ReadonlyMap<string, CheckedConnection>,
  document: ConfigDocument,
  problems: Problems,
): void {
  for (const [name, toolset] of Object.entries(toolsets)) {
    const path = ['toolsets', name]
    const other = connections.get(name)
    if (other !== undefined) {
      const message = `the name ${JSON.stringify(name)} is taken by ${renderPath(other.raw.path)}`
      problems.add(path, document.locate(path, 'key'), message, 'rename one of them')
    }
    checkNames(toolset, path, document, problems)
    warnOfStrangers(toolset, path, connections, document, problems)
  }
  const chosen = server.toolset
  if (chosen === undefined || Object.hasOwn(toolsets, chosen)) return
  const at = ['server', 'toolset']
  const hint = suggest(findNearestKey(chosen, Object.keys(toolsets)))
  problems.add(at, document.locate(at, 'value'), `no toolset is named ${JSON.stringify(chosen)}`, hint)
}

/** Two tools under one name, as far as the file alone can tell. */
function checkNames(
  { tools, search }: Toolset,
  path: Path,
  document: ConfigDocument,
  problems: Problems,
): void {
  const taken = new Map<string, string>(
    search ? searchToolNames.map((name) => [`name ${name}`, 'a tool of the search']) : [],
  )
  tools.forEach((item, index) => {
    if (typeof item === 'string') return
    const key = item.name === undefined ? `tool ${item.tool}` : `name ${item.name}`
    const at = [...path, 'tools', index, item.name === undefined ? 'tool' : 'name']
    const other = taken.get(key)
    if (other === undefined) taken.set(key, renderPath(at))
    else {
      const message = `${JSON.stringify(item.name ?? item.tool)} is taken by ${other}`
      problems.add(at, document.locate(at, 'value'), message, 'give one of them another name')
    }
  })
}

function warnOfStrangers(
  toolset: Toolset,
  path: Path,
  connections: ReadonlyMap<string, CheckedConnection>,
  document: ConfigDocument,
  problems: Problems,
): void {
  for (const list of ['tools', 'exclude', 'prompts', 'resources', 'pinned'] as const) {
    toolset[list].forEach((item, index) => {
      const name = (typeof item === 'string' ? item : item.tool).split(':')[0]!
      if (name.includes('*') || connections.has(name)) return
      const nearest = suggest(findNearestKey(name, connections.keys()))
      const message = `no connection is named ${JSON.stringify(name)}${nearest === undefined ? '' : `; ${nearest}`}`
      const at = [...path, list, index]
      problems.warn(at, document.locate(at, 'value'), message)
    })
  }
}
