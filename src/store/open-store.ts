import { type Clock, systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Stores } from '../core/stores.ts'
import { createApprovalStore } from './approvals.ts'
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
  /** The most bytes that the database may grow to; 1 GiB by default. */
  readonly fileBytesMax?: number
}

const defaultFileBytesMax = 1024 ** 3

/**
 * Opens the store, and makes it where it is missing. Throws CONFIG_INVALID, STORE_UNUSABLE or STORE_UNAVAILABLE. The
 * database runs on a thread of its own, and its driver is loaded here: a process that opens no store pays for neither.
 */
export async function openStore(options: StoreOptions): Promise<Stores> {
  const { url, baseDir, log, clock = systemClock, fileBytesMax = defaultFileBytesMax } = options
  const place = findPlace(url, baseDir)
  if (place !== undefined) await prepareFile(place)
  const { openSqlite } = await import('./drivers/sqlite/sqlite.ts')
  const database = await openSqlite({ path: place?.path ?? ':memory:', fileBytesMax, clock, log })
  return {
    pins: createPinStore(database),
    credentials: createCredentialStore({ database, clock, readKey: chooseKey(place, options.secret) }),
    targets: createTargetStore(database),
    approvals: createApprovalStore(database, clock),
    idempotency: createIdempotencyStore(database, clock),
    close: () => database.close(),
  }
}

function chooseKey(place: StorePlace | undefined, secret: string | undefined): KeyReader {
  if (secret !== undefined) return deriveKey(secret)
  return place === undefined ? createPassingKey() : keyFromFile(place.keyPath)
}
