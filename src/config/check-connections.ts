import type { AnyConnector } from '../core/connector.ts'
import { findNearestKey } from '../core/nearest-key.ts'
import { type JsonSchema, toJsonSchema } from '../core/schema.ts'
import { checkValue } from './check-value.ts'
import { type RawConnection, readClientServers } from './client-servers.ts'
import { type ConnectionConfig, sharedConnectionFields } from './config.ts'
import { showValue, suggest, typeName } from './describe-issue.ts'
import type { ConfigDocument } from './document.ts'
import { isRecord, renderPath } from './path.ts'
import type { Problems } from './problems.ts'

/** A checked connection, with what it came from. */
export interface CheckedConnection extends ConnectionConfig {
  readonly raw: RawConnection
  readonly schema: JsonSchema
}

/** Every connection of the file, from both kinds of block, checked by its connector, by name. */
export function checkConnections(
  file: unknown,
  connectors: readonly AnyConnector[],
  document: ConfigDocument,
  problems: Problems,
): Map<string, CheckedConnection> {
  const byType = new Map(connectors.map((connector) => [connector.type, connector]))
  const schemas = new Map<string, JsonSchema>()
  const checked = new Map<string, CheckedConnection>()
  const raws = [
    ...readConnections(file, [...byType.keys()], document, problems),
    ...readClientServers(file, document, problems),
  ]
  for (const raw of refuseClashes(raws, document, problems)) {
    const connector = byType.get(raw.type)
    if (connector === undefined) continue
    const schema = schemas.get(raw.type) ?? toJsonSchema(connector.config)
    schemas.set(raw.type, schema)
    const check = {
      parse: (value: unknown) => connector.config.parse(value) as unknown,
      schema,
      value: raw.config,
    }
    const config = checkValue({ ...check, base: raw.path }, document, problems)
    checked.set(raw.name, { type: raw.type, config, raw, schema })
  }
  return checked
}

function readConnections(
  file: unknown,
  types: readonly string[],
  document: ConfigDocument,
  problems: Problems,
): RawConnection[] {
  const connections = isRecord(file) ? file['connections'] : undefined
  const found: RawConnection[] = []
  for (const [name, value] of Object.entries(isRecord(connections) ? connections : {})) {
    const path = ['connections', name]
    if (!isRecord(value) || document.isBroken([...path, 'type'])) continue
    const { type, ...rest } = value
    const config = Object.fromEntries(
      Object.entries(rest).filter(([key]) => !(key in sharedConnectionFields)),
    )
    if (typeof type === 'string' && types.includes(type)) found.push({ name, type, config, path })
    else addUnknownType(type, path, types, document, problems)
  }
  return found
}

function addUnknownType(
  type: unknown,
  path: readonly string[],
  types: readonly string[],
  document: ConfigDocument,
  problems: Problems,
): void {
  const whole = [...path, 'type']
  const known = `known types: ${types.join(', ')}`
  if (type === undefined) {
    problems.add(whole, document.locate(whole, 'key'), 'is required', known)
    return
  }
  const shown = showValue(type, whole, document) || typeName(type)
  const nearest = typeof type === 'string' ? suggest(findNearestKey(type, types)) : undefined
  const hint = nearest === undefined ? known : `${nearest} (${known})`
  problems.add(whole, document.locate(whole, 'value'), `unknown connection type ${shown}`, hint)
}

/** The connections whose names are their own; of two that clash, the first stays. */
function refuseClashes(
  raws: readonly RawConnection[],
  document: ConfigDocument,
  problems: Problems,
): RawConnection[] {
  const first = new Map<string, RawConnection>()
  for (const raw of raws) {
    const other = first.get(raw.name)
    if (other === undefined) first.set(raw.name, raw)
    else {
      const message = `the name ${JSON.stringify(raw.name)} is taken by ${renderPath(other.path)}`
      problems.add(raw.path, document.locate(raw.path, 'key'), message, 'rename one of them')
    }
  }
  return [...first.values()]
}
