import { describe, expect, it } from 'vitest'
import { WeirError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { deferStores } from './defer-stores.ts'
import { openStore } from './open-store.ts'

const inMemory = () => openStore({ url: 'sqlite::memory:', baseDir: '/', log: silentLogger })
const remembered = { fingerprint: 'f', targets: '[]', notes: {}, seenAt: 1 }

describe('stores that are opened by their first use', () => {
  it('are not opened before it, and once for all', async () => {
    let opens = 0
    const stores = deferStores(() => {
      opens += 1
      return inMemory()
    }, createFakeClock())
    expect(opens).toBe(0)
    await Promise.all([stores.targets.remember('box', remembered), stores.pins.list()])
    expect(await stores.targets.recall('box')).toEqual(remembered)
    expect(opens).toBe(1)
    await stores.close()
  })

  it('say what opening said, and are tried again after a while', async () => {
    const clock = createFakeClock()
    let opens = 0
    const stores = deferStores(async () => {
      opens += 1
      if (opens === 1) throw new WeirError('STORE_UNAVAILABLE', 'It is locked.')
      return inMemory()
    }, clock)
    await expect(stores.pins.list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(stores.pins.list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(opens).toBe(1)
    await clock.advance(5_001)
    expect(await stores.pins.list()).toEqual([])
    await stores.close()
  })

  it('are closed without being opened', async () => {
    const stores = deferStores(() => {
      throw new Error('nobody asked')
    }, createFakeClock())
    await stores.close()
  })
})
