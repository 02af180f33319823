import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import type { CredentialKey, Pin, Stores } from '../core/stores.ts'
import { openStore, type StoreOptions } from './open-store.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-store-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()))
})

/** A new, empty folder; gone after the tests of the file. */
export function makeFolder(): string {
  return mkdtempSync(join(root, 'at-'))
}

/** Closes something after the test, if the test itself did not. */
export function closeLater<T extends { close(): Promise<void> }>(given: T): T {
  opened.push(given)
  return given
}

/** Opens `weir.db` in the folder, until the test ends. */
export async function openIn(baseDir: string, options: Partial<StoreOptions> = {}): Promise<Stores> {
  return closeLater(await openStore({ url: 'sqlite:weir.db', baseDir, log: silentLogger, ...options }))
}

/** A pin of the connection `api`. */
export function pinNamed(name: string, changed: Partial<Pin> = {}): Pin {
  return {
    ...{
      connection: 'api',
      kind: 'tool',
      name,
      hash: 'h',
      definition: '{}',
      decision: 'approved',
      seenAt: 1,
    },
    ...changed,
  }
}

/** The key of a caller's tokens for the connection `api`. */
export function tokensOf(subject: string): CredentialKey {
  return { connection: 'api', tenant: 't', subject, issuer: 'https://issuer.example', kind: 'tokens' }
}
