import type { Effect } from '../../../core/tool.ts'
import type { Operation } from './list-operations.ts'

const byMethod: Readonly<Record<string, Effect>> = {
  GET: 'read',
  HEAD: 'read',
  PUT: 'idempotent-write',
  POST: 'write',
  PATCH: 'write',
  DELETE: 'destructive',
}
const mildestFirst: readonly unknown[] = ['read', 'idempotent-write', 'write', 'destructive']

/**
 * What an operation does to the world: what the configuration says of it, else what its method means. The document
 * may say worse of itself in `x-weir-effect`, and never better: it is not ours.
 */
export function readEffect(
  { method, id, key, node }: Operation,
  effects: Readonly<Record<string, Effect>>,
): Effect {
  const configured = Object.hasOwn(effects, key)
    ? effects[key]
    : id !== undefined && Object.hasOwn(effects, id)
      ? effects[id]
      : undefined
  if (configured !== undefined) return configured
  const meant = byMethod[method] ?? 'destructive'
  const claimed = node['x-weir-effect']
  return mildestFirst.indexOf(claimed) > mildestFirst.indexOf(meant) ? (claimed as Effect) : meant
}
