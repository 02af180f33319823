import type { Selectable } from 'kysely'
import { WeirError } from '../core/error.ts'
import type { Pin, PinDecision, PinStore } from '../core/stores.ts'
import type { Database, PinTable } from './database.ts'
import { bytesMax, requireSize } from './require-size.ts'

/** As many as are kept of one connection: its first sight is pinned whole, or a server that lists more is never pinned. */
const togetherMax = 20_000

/** Pins in the table `pins`. */
export function createPinStore({ query, writeTogether }: Database): PinStore {
  return {
    async list(connection) {
      const all = query.selectFrom('pins').selectAll()
      const chosen = connection === undefined ? all : all.where('connection', '=', connection)
      const rows = await chosen
        .orderBy('connection')
        .orderBy('kind')
        .orderBy('name')
        .orderBy('decision')
        .execute()
      return rows.map(toPin)
    },
    async put(pins) {
      requireFew(pins)
      for (const pin of pins) requireSizes(pin)
      await writeTogether(
        pins.map((pin) => {
          const { connection, kind, name, decision, ...changed } = toRow(pin)
          return query
            .insertInto('pins')
            .values({ connection, kind, name, decision, ...changed })
            .onConflict((row) => row.columns(['connection', 'kind', 'name', 'decision']).doUpdateSet(changed))
        }),
      )
    },
    async remove(pins) {
      requireFew(pins)
      await writeTogether(
        pins.map(({ connection, kind, name, decision }) =>
          query
            .deleteFrom('pins')
            .where('connection', '=', connection)
            .where('kind', '=', kind)
            .where('name', '=', name)
            .where('decision', '=', decision),
        ),
      )
    },
  }
}

function requireFew(pins: readonly unknown[]): void {
  if (pins.length <= togetherMax) return
  const message = `${pins.length} pins were to be changed at once; the store takes up to ${togetherMax}.`
  throw new WeirError('STORE_VALUE_TOO_LARGE', message, {
    hint: 'Change fewer at once; nothing was written.',
  })
}

function requireSizes({ connection, kind, name, hash, definition, decidedBy = '' }: Pin): void {
  requireSize('What names a pin', bytesMax.key, [connection, kind, name, hash, decidedBy])
  requireSize('The definition of a pin', bytesMax.definition, [definition])
}

function toRow(pin: Pin): PinTable {
  const { connection, kind, name, decision, hash, definition, seenAt, decidedAt, decidedBy } = pin
  return {
    ...{ connection, kind, name, decision, hash, definition },
    seen_at: seenAt,
    decided_at: decidedAt ?? null,
    decided_by: decidedBy ?? null,
  }
}

function toPin(row: Selectable<PinTable>): Pin {
  const { connection, kind, name, hash, definition, decision, seen_at, decided_at, decided_by } = row
  return {
    ...{ connection, kind, name, hash, definition },
    decision: decision as PinDecision,
    seenAt: Number(seen_at),
    ...(decided_at === null ? {} : { decidedAt: Number(decided_at) }),
    ...(decided_by === null ? {} : { decidedBy: decided_by }),
  }
}
