import type { Catalog } from '../../../core/catalog.ts'
import { settleMaxMs } from './method-parts.ts'

/** A second look for what was not there: it may belong to a connection that is still starting, and is waited for as a list is (R6). */
export async function findSoon<T>(
  catalog: Pick<Catalog, 'connections' | 'settled'>,
  find: () => T | undefined,
): Promise<T | undefined> {
  if (!catalog.connections().some(({ state }) => state === 'starting')) return undefined
  await catalog.settled(settleMaxMs)
  return find()
}
