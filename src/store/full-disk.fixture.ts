/**
 * Fills the small disk that FOLDER lies on, writes, frees it, writes again, and says what became of it all as JSON:
 * `node full-disk.fixture.ts FOLDER`.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import type { Pin } from '../core/stores.ts'
import { openStore } from './open-store.ts'

const folder = process.argv[2]!
const filling = join(folder, 'filling')
const stores = await openStore({ url: 'sqlite:weir.db', baseDir: folder, log: silentLogger })
const key = { connection: 'api', tenant: '', subject: '', issuer: 'i', kind: 'tokens' }
const fates: Record<string, string> = {}

async function note(what: string, attempt: Promise<unknown>): Promise<void> {
  try {
    await attempt
    fates[what] = 'done'
  } catch (thrown) {
    const { code, data } = thrown as WeirError
    fates[what] = `${code} ${data?.['outcome'] ?? ''}`.trim()
  }
}

function pin(name: string, bytes: number): Pin {
  const definition = 'x'.repeat(bytes)
  return { connection: 'api', kind: 'tool', name, hash: 'h', definition, decision: 'approved', seenAt: 1 }
}

/** Takes all the room there is but `freeBytes`. */
function fill(freeBytes: number): void {
  rmSync(filling, { force: true })
  let bytes = 0
  try {
    for (; ; bytes += 4096) writeFileSync(filling, Buffer.alloc(4096), { flag: 'a' })
  } catch {
    writeFileSync(filling, Buffer.alloc(Math.max(0, bytes - freeBytes)))
  }
}

await stores.pins.put([pin('before', 10)])
fill(64 * 1024)
// Together in one transaction; only the large one has no room.
await Promise.all([
  note('large', stores.pins.put([pin('large', 300_000)])),
  note('small', stores.pins.put([pin('small', 10)])),
])
fill(0)
// Larger than what the log beside the database has room for already.
await note('full', stores.pins.put([pin('full', 200_000)]))
await note('key', stores.credentials.put(key, 'secret'))
await note('read', stores.pins.list())
rmSync(filling)
await note('healed', stores.pins.put([pin('healed', 20_000)]))
await note('healed key', stores.credentials.put(key, 'secret'))
const names = (await stores.pins.list()).map(({ name }) => name)
await stores.close()
process.stdout.write(JSON.stringify({ fates, names }))
