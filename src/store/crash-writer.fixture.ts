/**
 * Writes until it is killed, and says on standard output what was acknowledged: `node crash-writer.fixture.ts FOLDER`.
 * Its pins come in threes, so that half of a change would show.
 */
import { writeSync } from 'node:fs'
import { silentLogger } from '../core/logger.ts'
import type { Pin } from '../core/stores.ts'
import { openStore } from './open-store.ts'

const stores = await openStore({ url: 'sqlite:weir.db', baseDir: process.argv[2]!, log: silentLogger })
let next = 0

function pin(name: string): Pin {
  return {
    connection: 'api',
    kind: 'tool',
    name,
    hash: 'h',
    definition: '{}',
    decision: 'approved',
    seenAt: 1,
  }
}

async function writePins(): Promise<void> {
  for (;;) {
    const number = next++
    await stores.pins.put([pin(`${number}-a`), pin(`${number}-b`), pin(`${number}-c`)])
    writeSync(1, `pin ${number}\n`)
  }
}

async function writeCredentials(): Promise<void> {
  for (;;) {
    const subject = String(next++)
    const key = { connection: 'api', tenant: '', subject, issuer: 'i', kind: 'tokens' }
    await stores.credentials.put(key, `secret ${subject}`, 0)
    writeSync(1, `credential ${subject}\n`)
  }
}

await Promise.all([...Array.from({ length: 8 }, writePins), writeCredentials(), writeCredentials()])
