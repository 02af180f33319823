import type { TargetStore } from '../core/stores.ts'
import type { Database } from './database.ts'
import { bytesMax, requireSize } from './require-size.ts'

/** Last-known targets in the table `remembered_targets`. */
export function createTargetStore({ query }: Database): TargetStore {
  return {
    async recall(connection) {
      const row = await query
        .selectFrom('remembered_targets')
        .selectAll()
        .where('connection', '=', connection)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const { fingerprint, targets, notes, seen_at } = row
      return {
        fingerprint,
        targets,
        notes: JSON.parse(notes) as Readonly<Record<string, string>>,
        seenAt: Number(seen_at),
      }
    },
    async remember(connection, { fingerprint, targets, notes: given, seenAt }) {
      const notes = JSON.stringify(given)
      requireSize('What names remembered targets', bytesMax.key, [connection, fingerprint, notes])
      requireSize(`What ${connection} offers`, bytesMax.targets, [targets])
      const changed = { fingerprint, targets, notes, seen_at: seenAt }
      await query
        .insertInto('remembered_targets')
        .values({ connection, ...changed })
        .onConflict((row) => row.column('connection').doUpdateSet(changed))
        .execute()
    },
    async forget(connection) {
      await query.deleteFrom('remembered_targets').where('connection', '=', connection).execute()
    },
  }
}
