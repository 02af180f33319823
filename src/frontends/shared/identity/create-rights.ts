import type { Decision, Grants } from '../../../core/caller.ts'
import { compileGlob } from '../../../core/glob.ts'

/** What the callers of one role may do. */
export interface Role {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly toolset?: string | undefined
}

/** What is known of a caller's rights. */
export interface Claims {
  /** Those that nobody has defined count for nothing. */
  readonly roles: readonly string[]
  /** What the caller's own token allows beside its roles. */
  readonly permissions?: readonly string[]
  /** What the token was issued for: `mcp:tools`, `mcp:resources`, `mcp:prompts`. Where it names any, nothing else is reached with it. */
  readonly scopes?: readonly string[]
}

/** Sets of rights kept at once; the one that was made first is made again. */
const keptMax = 1_000
/** Decisions that one set of rights keeps: permissions are asked for again and again by lists. */
const decisionsMax = 10_000
/** A URI of a caller's own making can be as long as its request. */
const keptCharsMax = 1_000

/** The scopes that a token may be narrowed to, by the kind of what is asked for (D2-090). */
const scopeOf: Readonly<Record<string, string>> = {
  tool: 'mcp:tools',
  resource: 'mcp:resources',
  prompt: 'mcp:prompts',
}
/** All of them, as a client may ask an issuer for them. */
export const scopes: readonly string[] = Object.values(scopeOf)

/**
 * Gives callers of the same roles, permissions and scopes the same Grants object, so that what others keep by it is
 * kept once. Denying beats allowing, in whichever role it stands, and what nothing allows is denied.
 */
export function createRights(roles: Readonly<Record<string, Role>>): (claims: Claims) => Grants {
  const kept = new Map<string, Grants>()
  return (claims) => {
    const normal: Required<Claims> = {
      roles: Object.keys(roles).filter((name) => claims.roles.includes(name)),
      permissions: sortOnce(claims.permissions),
      scopes: sortOnce(claims.scopes?.filter((scope) => scopes.includes(scope))),
    }
    const key = JSON.stringify([normal.roles, normal.permissions, normal.scopes])
    let grants = kept.get(key)
    if (grants === undefined) {
      grants = compileGrants(roles, normal)
      const oldest = kept.size < keptMax ? undefined : kept.keys().next().value
      if (oldest !== undefined) kept.delete(oldest)
      kept.set(key, grants)
    }
    return grants
  }
}

function sortOnce(values: readonly string[] = []): readonly string[] {
  return [...new Set(values)].sort()
}

interface Rule {
  readonly matches: (permission: string) => boolean
  readonly decision: Decision
}

function compileGrants(roles: Readonly<Record<string, Role>>, claims: Required<Claims>): Grants {
  const own = claims.roles.map((name) => [name, roles[name]!] as const)
  const rules: readonly Rule[] = [
    ...own.flatMap(([name, { deny }]) => deny.map((pattern) => ruleOf(pattern, false, `role "${name}"`))),
    ...own.flatMap(([name, { allow }]) => allow.map((pattern) => ruleOf(pattern, true, `role "${name}"`))),
    ...claims.permissions.map((pattern) => ruleOf(pattern, true, 'the caller’s token')),
  ]
  const nothing = decided(false, describeNothing(claims))
  const kept = new Map<string, Decision>()
  const decide = (permission: string): Decision => {
    const outside = findOutside(permission, claims.scopes)
    return outside ?? rules.find(({ matches }) => matches(permission))?.decision ?? nothing
  }
  const toolset = own.find(([, role]) => role.toolset !== undefined)?.[1].toolset
  return {
    decide(permission) {
      let decision = kept.get(permission)
      if (decision === undefined) {
        decision = decide(permission)
        if (kept.size < decisionsMax && permission.length <= keptCharsMax) kept.set(permission, decision)
      }
      return decision
    },
    ...(toolset === undefined ? {} : { toolset }),
  }
}

/** `*` is everything that agents use: what governs Weir itself has to be named, or an agent could approve its own calls. */
function ruleOf(pattern: string, isAllowed: boolean, who: string): Rule {
  const fits = compileGlob(pattern)
  const isOfWeir = pattern.startsWith('admin:')
  return {
    matches: (permission) => (isOfWeir || !isAllowed || !permission.startsWith('admin:')) && fits(permission),
    decision: decided(isAllowed, `${who} ${isAllowed ? 'allows' : 'denies'} ${pattern}`),
  }
}

function findOutside(permission: string, narrowed: readonly string[]): Decision | undefined {
  if (narrowed.length === 0) return undefined
  const scope = scopeOf[permission.slice(0, permission.indexOf(':'))]
  if (scope !== undefined && narrowed.includes(scope)) return undefined
  return decided(false, `the token is for ${narrowed.join(', ')} only`)
}

function describeNothing({ roles, permissions }: Required<Claims>): string {
  if (roles.length === 0 && permissions.length === 0) return 'the caller has no role'
  const sources = [...roles.map((name) => `role "${name}"`), ...(permissions.length > 0 ? ['the token'] : [])]
  return `nothing in ${sources.join(', ')} allows it`
}

function decided(isAllowed: boolean, rule: string): Decision {
  return Object.freeze({ isAllowed, rule })
}
