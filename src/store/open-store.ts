import { type Clock, systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Stores } from '../core/stores.ts'
import { createApiKeyStore } from './api-keys.ts'
import { createApprovalStore } from './approvals.ts'
import { type AuditRetention, createAuditStore, defaultRetention } from './audit/audit.ts'
import { createCredentialStore } from './credentials.ts'
import { createIdempotencyStore } from './idempotency.ts'
import { createPinStore } from './pins.ts'
import { findPlace, prepareFile, type StorePlace } from './prepare-file.ts'
import { createPassingKey, deriveKey, type KeyReader, keyFromFile } from './sealing/read-key.ts'
import { createTargetStore } from './targets.ts'

/** Where the store is, and what it is opened with. */
export interface StoreOptions {
  /** `sqlite:path/to/file.db`, or `sqlite::memory:` to keep nothing. */
  readonly url: string
  /** Where relative paths begin. */
  readonly baseDir: string
  readonly log: Logger
  readonly clock?: Clock
  /** What credentials are sealed with. Default: the file `key` beside the database, made at the first need. */
  readonly secret?: string
  /** How much of the audit is kept. */
  readonly audit?: AuditRetention
  /** What the audit never writes, wherever it stands. The same array until there are more. */
  readonly secrets?: () => readonly string[]
  /** The most bytes that the database may grow to; 8 GiB by default. */
  readonly fileBytesMax?: number
}

/** More than the audit can fill with the records it keeps, so that it never takes the room of the rest. */
const defaultFileBytesMax = 8 * 1024 ** 3
const memoryRowsMax = 10_000
const noSecrets: readonly string[] = []

/**
 * Opens the store, and makes it where it is missing. Throws CONFIG_INVALID, STORE_UNUSABLE or STORE_UNAVAILABLE. The
 * database runs on a thread of its own, and its driver is loaded here: a process that opens no store pays for neither.
 */
export async function openStore(options: StoreOptions): Promise<Stores> {
  const { url, baseDir, log, clock = systemClock, fileBytesMax = defaultFileBytesMax } = options
  const { audit: retention = defaultRetention } = options
  const place = findPlace(url, baseDir)
  if (place !== undefined) await prepareFile(place)
  const { openSqlite } = await import('./drivers/sqlite/sqlite.ts')
  const database = await openSqlite({ path: place?.path ?? ':memory:', fileBytesMax, clock, log })
  return {
    pins: createPinStore(database),
    credentials: createCredentialStore({ database, clock, readKey: chooseKey(place, options.secret) }),
    targets: createTargetStore(database),
    audit: createAuditStore({
      ...{ database, clock, log },
      retention: place === undefined ? boundForMemory(retention) : retention,
      secrets: options.secrets ?? (() => noSecrets),
    }),
    apiKeys: createApiKeyStore(database),
    approvals: createApprovalStore(database, clock),
    idempotency: createIdempotencyStore(database, clock),
    close: () => database.close(),
  }
}

/** What is kept in memory has to fit there. */
function boundForMemory({ keepMs, rowsMax }: AuditRetention): AuditRetention {
  return { keepMs, rowsMax: Math.min(rowsMax, memoryRowsMax) }
}

function chooseKey(place: StorePlace | undefined, secret: string | undefined): KeyReader {
  if (secret !== undefined) return deriveKey(secret)
  return place === undefined ? createPassingKey() : keyFromFile(place.keyPath)
}
