import type { z } from 'zod'
import { findNearestKey } from '../core/nearest-key.ts'
import type { CheckedConnection } from './check-connections.ts'
import type { fileSchema } from './config.ts'
import { suggest } from './describe-issue.ts'
import type { ConfigDocument } from './document.ts'
import type { Path } from './path.ts'
import type { Problems } from './problems.ts'

type File = Pick<z.output<typeof fileSchema>, 'roles' | 'auth' | 'toolsets'>

/** What no schema can say of roles and issuers: what they name has to be there, and no two may be the same. */
export function checkRoles(
  { roles, auth, toolsets }: File,
  connections: ReadonlyMap<string, CheckedConnection>,
  document: ConfigDocument,
  problems: Problems,
): void {
  const refuse = (at: Path, message: string, hint?: string) =>
    problems.add(at, document.locate(at, 'value'), message, hint)
  const requireRole = (name: string, at: Path) => {
    if (Object.hasOwn(roles, name)) return
    const hint = suggest(findNearestKey(name, Object.keys(roles)))
    refuse(at, `no role is named ${JSON.stringify(name)}`, hint)
  }
  for (const [name, { toolset, allow, deny }] of Object.entries(roles)) {
    if (toolset !== undefined && !Object.hasOwn(toolsets, toolset)) {
      const hint = suggest(findNearestKey(toolset, Object.keys(toolsets)))
      refuse(['roles', name, 'toolset'], `no toolset is named ${JSON.stringify(toolset)}`, hint)
    }
    for (const [list, patterns] of Object.entries({ allow, deny })) {
      patterns.forEach((pattern, index) => {
        const message = describeStranger(pattern, [...connections.keys(), ...Object.keys(toolsets)])
        const at = ['roles', name, list, index]
        if (message !== undefined) problems.warn(at, document.locate(at, 'value'), message)
      })
    }
  }
  const seen = { name: new Set<string>(), issuer: new Set<string>() }
  auth?.jwt.forEach((method, index) => {
    method.roles.forEach((role, at) => {
      requireRole(role, ['auth', 'jwt', index, 'roles', at])
    })
    for (const field of ['name', 'issuer'] as const) {
      if (seen[field].has(method[field]))
        refuse(['auth', 'jwt', index, field], 'another issuer has this already')
      seen[field].add(method[field])
    }
  })
  auth?.localRoles?.forEach((role, index) => {
    requireRole(role, ['auth', 'localRoles', index])
  })
}

function describeStranger(pattern: string, known: readonly string[]): string | undefined {
  const [kind, name = ''] = pattern.split(':')
  if (kind === '*' || kind === 'admin' || name.includes('*') || known.includes(name)) return undefined
  const nearest = suggest(findNearestKey(name, known))
  return `no connection is named ${JSON.stringify(name)}${nearest === undefined ? '' : `; ${nearest}`}`
}
