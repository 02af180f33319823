import { createHash } from 'node:crypto'
import type { Operation } from './list-operations.ts'

const nameCharsMax = 64

/**
 * The name of each operation's tool: its id in snake_case, else its method and path. All operations of a name have a hash
 * of method and path after it, and names that are too long one of the whole; so a name depends on no order and no selection.
 * `taken` are names that other tools of the connection have.
 */
export function nameOperations(
  operations: readonly Operation[],
  {
    prefix,
    taken = new Set(),
  }: { readonly prefix?: string | undefined; readonly taken?: ReadonlySet<string> },
): ReadonlyMap<Operation, string> {
  const start = prefix === undefined ? '' : `${prefix.replace(/_+$/, '')}_`
  const plain = new Map(operations.map((operation) => [operation, `${start}${nameOne(operation)}`]))
  const counts = new Map<string, number>()
  for (const name of plain.values()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return new Map(
    [...plain].map(([operation, name]) => {
      const isOwn = counts.get(name) === 1 && name.length <= nameCharsMax && !taken.has(name)
      return [operation, isOwn ? name : addHash(name, operation.key)]
    }),
  )
}

/** The name with eight digits of a hash after it, within the bound. */
export function addHash(name: string, whole: string): string {
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8)
  return `${name.slice(0, nameCharsMax - 9).replace(/_+$/, '')}_${hash}`
}

function nameOne({ id, method, path }: Operation): string {
  const fromId = id === undefined ? '' : toSnakeCase(id)
  const name = fromId === '' ? toSnakeCase(`${method.toLowerCase()}_${path}`) : fromId
  return /^[a-z]/.test(name) ? name : `op_${name}`
}

/** Letters without accents, digits, and one `_` between words. */
function toSnakeCase(text: string): string {
  return text
    .slice(0, 1_000)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
}
