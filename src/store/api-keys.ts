import type { Selectable } from 'kysely'
import { WeirError } from '../core/error.ts'
import type { ApiKey, ApiKeyStore } from '../core/stores.ts'
import type { ApiKeyTable, Database } from './database.ts'
import { bytesMax, requireSize } from './require-size.ts'

/** As many as a running Weir holds at once. */
const keysMax = 10_000

/** Keys in the table `api_keys`. */
export function createApiKeyStore({ query, writeTogether }: Database): ApiKeyStore {
  return {
    async list() {
      const rows = await query
        .selectFrom('api_keys')
        .selectAll()
        .orderBy('created_at')
        .orderBy('hash')
        .limit(keysMax + 1)
        .execute()
      if (rows.length > keysMax) throw tooMany()
      return rows.map(toKey)
    },
    async put(keys) {
      if (keys.length > keysMax) throw tooMany()
      for (const { hash, id, name, roles, tenant, createdBy } of keys) {
        requireSize('What describes a key', bytesMax.key, [hash, id, name, ...roles, tenant, createdBy])
      }
      await writeTogether(
        keys.map((key) => {
          const { hash, ...changed } = toRow(key)
          return query
            .insertInto('api_keys')
            .values({ hash, ...changed })
            .onConflict((row) => row.column('hash').doUpdateSet(changed))
        }),
      )
    },
    async remove(hashes) {
      await writeTogether(hashes.map((hash) => query.deleteFrom('api_keys').where('hash', '=', hash)))
    },
  }
}

function tooMany(): WeirError {
  return new WeirError('STORE_VALUE_TOO_LARGE', `There are more than ${keysMax} keys.`, {
    hint: 'Let programs of one kind share a key, or authenticate them by tokens.',
  })
}

function toRow({ hash, id, name, roles, tenant, createdAt, createdBy, endsAt }: ApiKey): ApiKeyTable {
  return {
    ...{ hash, id, name, tenant },
    roles: JSON.stringify(roles),
    created_at: createdAt,
    created_by: createdBy,
    ends_at: endsAt ?? null,
  }
}

function toKey(row: Selectable<ApiKeyTable>): ApiKey {
  const { hash, id, name, roles, tenant, created_at, created_by, ends_at } = row
  return {
    ...{ hash, id, name, tenant },
    roles: JSON.parse(roles) as readonly string[],
    createdAt: Number(created_at),
    createdBy: created_by,
    ...(ends_at === null ? {} : { endsAt: Number(ends_at) }),
  }
}
