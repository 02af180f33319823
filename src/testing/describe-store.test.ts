import { expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import type { Stores } from '../core/stores.ts'
import { openStore } from '../store/open-store.ts'
import { listStorePromises } from './describe-store.ts'

type Breakage = (stores: Stores) => Partial<Stores>

/** The suite over a store that is broken in one way. */
function promisesOf(damage: Breakage) {
  return listStorePromises({
    isKept: false,
    async create() {
      const open = async () => {
        const stores = await openStore({ url: 'sqlite::memory:', baseDir: '.', log: silentLogger })
        return { ...stores, ...damage(stores) }
      }
      return { open }
    },
  })
}

/** One way for each promise. */
const breakages: Readonly<Record<string, Breakage>> = {
  'is empty at first': ({ credentials }) => ({
    credentials: { ...credentials, get: async () => ({ value: '', version: 1 }) },
  }),
  'keeps a pin with everything it holds, and replaces it': ({ pins }) => ({
    pins: { ...pins, list: async () => (await pins.list()).map(({ decidedBy: _, ...pin }) => pin) },
  }),
  'lists pins of one connection or all, in order': ({ pins }) => ({
    pins: { ...pins, list: async (connection) => [...(await pins.list(connection))].reverse() },
  }),
  'removes pins, and passes over those that are not there': ({ pins }) => ({
    pins: { ...pins, remove: async ([first]) => pins.remove(first === undefined ? [] : [first]) },
  }),
  'writes pins all or none': ({ pins }) => ({
    pins: {
      ...pins,
      async put(all) {
        for (const pin of all) await pins.put([pin])
      },
    },
  }),
  'writes as many pins at once as are kept of one connection': ({ pins }) => ({
    pins: { ...pins, put: (all) => pins.put(all.slice(0, 10_000)) },
  }),
  'keeps a credential and counts its versions': ({ credentials }) => ({
    credentials: {
      ...credentials,
      async get(key) {
        const found = await credentials.get(key)
        return found && { ...found, version: 1 }
      },
    },
  }),
  'keeps credentials apart by each field of their key': ({ credentials }) => ({
    credentials: {
      ...credentials,
      get: (key) => credentials.get({ ...key, issuer: '' }),
      put: (key, ...rest) => credentials.put({ ...key, issuer: '' }, ...rest),
    },
  }),
  'writes a credential only over the version that was read': ({ credentials }) => ({
    credentials: { ...credentials, put: (key, value) => credentials.put(key, value) },
  }),
  'lets exactly one of many writers win a version': ({ credentials }) => ({
    credentials: {
      ...credentials,
      async put(key, value, ifVersion) {
        const now = (await credentials.get(key))?.version ?? 0
        return ifVersion === undefined || ifVersion === now ? credentials.put(key, value) : false
      },
    },
  }),
  'never takes a new credential for the one that was removed': ({ credentials }) => ({
    // Versions that begin at 1 each time.
    credentials: {
      ...credentials,
      async get(key) {
        const found = await credentials.get(key)
        return found && { ...found, version: 1 }
      },
      put: (key, value, ifVersion) => credentials.put(key, value, ifVersion === 1 ? undefined : ifVersion),
    },
  }),
  'remembers and forgets targets': ({ targets }) => ({ targets: { ...targets, forget: async () => {} } }),
  'chains records of the audit, and notices nothing where nothing is wrong': ({ audit }) => ({
    audit: { ...audit, append: (drafts) => audit.append(drafts.toReversed()) },
  }),
  'keeps text as it is, whatever it holds': ({ pins }) => ({
    pins: {
      ...pins,
      put: (all) => pins.put(all.map((pin) => ({ ...pin, name: pin.name.normalize('NFD').slice(0, 20) }))),
    },
  }),
  'refuses what is too large, and goes on': ({ pins }) => ({
    pins: { ...pins, put: async () => {} },
  }),
  'closes twice, and refuses with STORE_UNAVAILABLE after that': ({ pins }) => ({
    pins: { ...pins, list: async () => [] },
  }),
}

it('has a breach to notice for every promise', () => {
  expect(promisesOf(() => ({})).map(({ title }) => title)).toEqual(Object.keys(breakages))
})

it.each(Object.entries(breakages))('notices the breach of: %s', async (title, damage) => {
  const promise = promisesOf(damage).find((each) => each.title === title)!
  await expect(promise.keep()).rejects.toThrow()
})
