import type { Decision, Grants } from '../../../core/caller.ts'
import { compileGlobs } from '../../../core/glob.ts'

const denied: Decision = Object.freeze({ isAllowed: false, rule: 'a policy denies it to everybody' })

/**
 * Takes from rights what policies deny to everybody, so that no list shows what every call refuses. `patterns` are of
 * ids, as policies have them: those of tools lack the kind that permissions begin with. Where there are none the rights
 * stay the object they are.
 */
export function createDenyToAll(patterns: readonly string[]): (grants: Grants) => Grants {
  if (patterns.length === 0) return (grants) => grants
  const isDenied = compileGlobs(patterns)
  const kept = new WeakMap<Grants, Grants>()
  return (grants) => {
    let narrowed = kept.get(grants)
    if (narrowed === undefined) {
      narrowed = {
        decide(permission) {
          const id = permission.startsWith('tool:') ? permission.slice('tool:'.length) : permission
          return !id.startsWith('admin:') && isDenied(id) ? denied : grants.decide(permission)
        },
        ...(grants.toolset === undefined ? {} : { toolset: grants.toolset }),
      }
      kept.set(grants, narrowed)
    }
    return narrowed
  }
}
