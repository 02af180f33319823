import type { Clock } from '../core/clock.ts'
import type { CredentialKey, CredentialStore } from '../core/stores.ts'
import type { CredentialTable, Database } from './database.ts'
import { bytesMax, requireSize } from './require-size.ts'
import type { KeyReader } from './sealing/read-key.ts'
import { openSealed, seal } from './sealing/seal.ts'

/** What the table of credentials is kept with. */
export interface CredentialStoreOptions {
  readonly database: Database
  readonly clock: Clock
  readonly readKey: KeyReader
}

const keyColumns = ['connection', 'tenant', 'subject', 'issuer', 'kind'] as const

/** Credentials in the table `credentials`. Their values are sealed before a driver sees them. */
export function createCredentialStore({ database, clock, readKey }: CredentialStoreOptions): CredentialStore {
  const { query } = database
  const holdsAny = async () =>
    (await query.selectFrom('credentials').select('version').limit(1).executeTakeFirst()) !== undefined

  return {
    async get(given) {
      const key = keyOf(given)
      const row = await query
        .selectFrom('credentials')
        .select(['sealed', 'version'])
        .where((eb) => eb.and(key))
        .executeTakeFirst()
      if (row === undefined) return undefined
      const value = openSealed(await readKey(holdsAny), bindingOf(key), row.sealed)
      return { value, version: Number(row.version) }
    },
    list(connection) {
      const chosen = query.selectFrom('credentials').select(keyColumns).where('connection', '=', connection)
      return chosen.orderBy('tenant').orderBy('subject').orderBy('issuer').orderBy('kind').execute()
    },
    async put(given, value, ifVersion) {
      const key = keyOf(given)
      requireSize('What names a credential', bytesMax.key, Object.values(key))
      requireSize('A credential', bytesMax.credential, [value])
      const sealed = seal(await readKey(holdsAny), bindingOf(key), value)
      if (ifVersion !== undefined && ifVersion !== 0) return replace(database, key, sealed, ifVersion)
      // A first version is the time, so that one that is removed and put anew never looks like what it was before.
      return insert(database, { ...key, sealed, version: clock.now() }, ifVersion === undefined)
    },
    async remove(given) {
      await query
        .deleteFrom('credentials')
        .where((eb) => eb.and(keyOf(given)))
        .execute()
    },
  }
}

/** One statement each, so that no other process can come between looking and writing. */
async function insert({ query }: Database, row: CredentialTable, mayReplace: boolean): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await query
    .insertInto('credentials')
    .values(row)
    .onConflict((old) =>
      mayReplace
        ? old.columns(keyColumns).doUpdateSet((eb) => ({
            sealed: row.sealed,
            version: eb('credentials.version', '+', 1),
          }))
        : old.columns(keyColumns).doNothing(),
    )
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows > 0n
}

async function replace(
  { query }: Database,
  key: CredentialKey,
  sealed: string,
  version: number,
): Promise<boolean> {
  const { numUpdatedRows } = await query
    .updateTable('credentials')
    .set({ sealed, version: version + 1 })
    .where((eb) => eb.and({ ...key, version }))
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** The key's own fields: a caller's object may hold more. */
function keyOf({ connection, tenant, subject, issuer, kind }: CredentialKey): Required<CredentialKey> {
  return { connection, tenant, subject, issuer, kind }
}

/** What a sealed value is bound to: moved to another row it does not open. */
function bindingOf(key: CredentialKey): string {
  return JSON.stringify(keyColumns.map((column) => key[column]))
}
