import { describe, it } from 'vitest'
import { WeirError } from '../core/error.ts'
import type { CredentialKey, Pin, PinDecision, RememberedTargets, Stores } from '../core/stores.ts'
import { chainRecords, shareChain } from './audit-promises.ts'
import { demand, equal } from './demand.ts'

/** One store that nobody else uses. */
export interface StoreCase {
  /** Opens it; also a second time while the first is open, unless it keeps nothing. */
  open(): Promise<Stores>
}

/** How the suite gets at stores. */
export interface StoreKind {
  /** Makes a place for a new, empty store. */
  create(): Promise<StoreCase>
  /** False for a store that ends with its process. */
  readonly isKept: boolean
}

/** One promise of every store: rejects with what was found broken. */
export interface StorePromise {
  readonly title: string
  keep(): Promise<void>
}

/** Declares the suite that every store must pass. */
export function describeStore(name: string, kind: StoreKind): void {
  describe(`store ${name}`, () => {
    for (const { title, keep } of listStorePromises(kind)) it(title, keep)
  })
}

/** The promises as data, so that a test can show that each of them notices its own breach. */
export function listStorePromises(kind: StoreKind): readonly StorePromise[] {
  const within = (title: string, use: (stores: Stores) => Promise<void>): StorePromise => ({
    title,
    keep: () => withStores(kind, use),
  })
  const promises = [
    within('is empty at first', beginEmpty),
    within('keeps a pin with everything it holds, and replaces it', replacePins),
    within('lists pins of one connection or all, in order', listPins),
    within('removes pins, and passes over those that are not there', removePins),
    within('writes pins all or none', putAllOrNone),
    within('writes as many pins at once as are kept of one connection', putMany),
    within('keeps a credential and counts its versions', countVersions),
    within('keeps credentials apart by each field of their key', keepApart),
    within('writes a credential only over the version that was read', compareVersions),
    within('lets exactly one of many writers win a version', letOneWin),
    within('never takes a new credential for the one that was removed', forgetVersions),
    within('remembers and forgets targets', rememberTargets),
    within('chains records of the audit, and notices nothing where nothing is wrong', chainRecords),
    within('keeps text as it is, whatever it holds', keepText),
    within('refuses what is too large, and goes on', refuseLarge),
    { title: 'closes twice, and refuses with STORE_UNAVAILABLE after that', keep: () => closeTwice(kind) },
  ]
  if (!kind.isKept) return promises
  return [
    ...promises,
    { title: 'has everything when it is opened again', keep: () => openAgain(kind) },
    { title: 'shows one holder what another wrote', keep: () => shareBetweenTwo(kind) },
    { title: 'keeps the audit whole under two holders', keep: () => shareChain(kind) },
  ]
}

async function beginEmpty({ pins, credentials, targets }: Omit<Stores, 'audit' | 'close'>): Promise<void> {
  equal(await pins.list(), [], 'pins of a new store')
  equal(await credentials.get(keyOf()), undefined, 'a credential of a new store')
  equal(await credentials.list('api'), [], 'credentials of a new store')
  equal(await targets.recall('api'), undefined, 'targets of a new store')
  await credentials.remove(keyOf())
  await targets.forget('api')
  await pins.put([])
  await pins.remove([])
}

async function replacePins({ pins }: Stores): Promise<void> {
  const decided = pinOf('send', { decidedAt: 1_800_000_000_001, decidedBy: 'ada' })
  await pins.put([decided, pinOf('send', { decision: 'quarantined', hash: 'new' })])
  equal(
    await pins.list('api'),
    [decided, pinOf('send', { decision: 'quarantined', hash: 'new' })],
    'both pins',
  )
  await pins.put([pinOf('send', { hash: 'new', definition: '{"v":2}' })])
  const [approved, quarantined] = await pins.list('api')
  equal(approved, pinOf('send', { hash: 'new', definition: '{"v":2}' }), 'the replaced pin')
  equal(quarantined?.hash, 'new', 'the pin of the other decision')
}

async function listPins({ pins }: Stores): Promise<void> {
  const given = [
    pinOf('z'),
    pinOf('a', { kind: 'resource' }),
    pinOf('a'),
    pinOf('a', { connection: 'b' }),
    pinOf('a', { connection: 'a' }),
  ]
  await pins.put(given)
  const name = (pin: Pin) => `${pin.connection} ${pin.kind} ${pin.name}`
  const sorted = ['a tool a', 'api resource a', 'api tool a', 'api tool z', 'b tool a']
  equal((await pins.list()).map(name), sorted, 'all pins')
  equal((await pins.list('api')).map(name), sorted.slice(1, 4), 'the pins of one connection')
}

async function removePins({ pins }: Stores): Promise<void> {
  await pins.put([pinOf('a'), pinOf('b'), pinOf('b', { decision: 'quarantined' })])
  await pins.remove([pinOf('a'), pinOf('b'), pinOf('never')])
  equal(await pins.list(), [pinOf('b', { decision: 'quarantined' })], 'what is left')
}

async function putAllOrNone({ pins }: Stores): Promise<void> {
  // The type forbids it; a fault of ours would look like this to the database.
  const broken = { ...pinOf('b'), seenAt: null as unknown as number }
  const thrown = await rejectionOf(pins.put([pinOf('a'), broken as Pin, pinOf('c')]))
  demand(thrown !== undefined, 'a pin that was never seen was accepted')
  equal(await pins.list(), [], 'what a failed put left behind')
}

/** An upstream that lists as much as it may is pinned at its first sight, whole. */
async function putMany({ pins }: Stores): Promise<void> {
  const many = Array.from({ length: 20_000 }, (_, index) => pinOf(`tool${index}`))
  await pins.put(many)
  equal((await pins.list('api')).length, many.length, 'the pins that were put together')
}

async function countVersions({ credentials }: Stores): Promise<void> {
  demand(await credentials.put(keyOf(), 'one'), 'the first put said that it did nothing')
  const first = await credentials.get(keyOf())
  demand(await credentials.put(keyOf(), 'two'), 'the second put said that it did nothing')
  const second = await credentials.get(keyOf())
  equal([first?.value, second?.value], ['one', 'two'], 'the values')
  demand(second!.version > first!.version && first!.version > 0, 'the version did not grow')
  equal(await credentials.list('api'), [keyOf()], 'the listed key')
  await credentials.remove(keyOf())
  equal(await credentials.get(keyOf()), undefined, 'a removed credential')
}

async function keepApart({ credentials }: Stores): Promise<void> {
  const fields: readonly (keyof CredentialKey)[] = ['connection', 'tenant', 'subject', 'issuer', 'kind']
  const keys = [keyOf(), ...fields.map((field) => keyOf({ [field]: 'other' }))]
  for (const [index, key] of keys.entries()) await credentials.put(key, `value ${index}`)
  const values = await Promise.all(keys.map(async (key) => (await credentials.get(key))?.value))
  equal(
    values,
    keys.map((_, index) => `value ${index}`),
    'the values',
  )
  equal((await credentials.list('other')).length, 1, 'keys of the other connection')
}

async function compareVersions({ credentials }: Stores): Promise<void> {
  equal(await credentials.put(keyOf(), 'x', 1), false, 'a put over a version of nothing')
  equal(await credentials.put(keyOf(), 'one', 0), true, 'a first put')
  equal(await credentials.put(keyOf(), 'x', 0), false, 'a second first put')
  const { version } = (await credentials.get(keyOf()))!
  equal(await credentials.put(keyOf(), 'two', version), true, 'a put over the version')
  equal(await credentials.put(keyOf(), 'x', version), false, 'a put over the old version')
  equal((await credentials.get(keyOf()))?.value, 'two', 'the value')
}

async function letOneWin({ credentials }: Stores): Promise<void> {
  await credentials.put(keyOf(), 'old')
  const { version } = (await credentials.get(keyOf()))!
  const values = Array.from({ length: 50 }, (_, index) => `writer ${index}`)
  const won = await Promise.all(values.map((value) => credentials.put(keyOf(), value, version)))
  equal(won.filter(Boolean).length, 1, 'winners')
  equal((await credentials.get(keyOf()))?.value, values[won.indexOf(true)], 'the winner’s value')
}

async function forgetVersions({ credentials }: Stores): Promise<void> {
  await credentials.put(keyOf(), 'old')
  const { version } = (await credentials.get(keyOf()))!
  await credentials.remove(keyOf())
  // Versions begin with the time, whose steps are milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 2))
  await credentials.put(keyOf(), 'new', 0)
  equal(await credentials.put(keyOf(), 'late', version), false, 'a put over the removed version')
}

async function rememberTargets({ targets }: Stores): Promise<void> {
  const remembered: RememberedTargets = { fingerprint: 'f', targets: '[1]', notes: { era: 'x' }, seenAt: 5 }
  await targets.remember('api', remembered)
  equal(await targets.recall('api'), remembered, 'the remembered targets')
  await targets.remember('api', { ...remembered, notes: {}, seenAt: 6 })
  equal(await targets.recall('api'), { ...remembered, notes: {}, seenAt: 6 }, 'the replaced targets')
  equal(await targets.recall('other'), undefined, 'another connection’s targets')
  await targets.forget('api')
  equal(await targets.recall('api'), undefined, 'forgotten targets')
}

async function keepText({ pins, credentials }: Stores): Promise<void> {
  const text = `'; drop table pins; --\n"\\ \u202e é 😀 %_ ${'x'.repeat(10_000)}`
  await pins.put([pinOf('a', { name: text.slice(0, 30), definition: text })])
  await credentials.put(keyOf({ subject: text.slice(0, 30) }), text)
  const [pin] = await pins.list()
  equal([pin?.name, pin?.definition], [text.slice(0, 30), text], 'the text of a pin')
  equal((await credentials.get(keyOf({ subject: text.slice(0, 30) })))?.value, text, 'a credential')
}

async function refuseLarge(stores: Stores): Promise<void> {
  const large = 'x'.repeat(17 * 1024 * 1024)
  const refused = [
    () => stores.pins.put([pinOf('a'), pinOf('b', { definition: large })]),
    () => stores.pins.put([pinOf('a', { name: large })]),
    () => stores.credentials.put(keyOf(), large),
    () => stores.credentials.put(keyOf({ subject: large }), 'x'),
    () => stores.targets.remember('api', { fingerprint: 'f', targets: large, notes: {}, seenAt: 0 }),
  ]
  for (const attempt of refused) await rejectsWith('STORE_VALUE_TOO_LARGE', attempt())
  await beginEmpty(stores)
}

async function closeTwice(kind: StoreKind): Promise<void> {
  const stores = await (await kind.create()).open()
  const late = stores.pins.put([pinOf('under way')])
  await Promise.all([stores.close(), stores.close()])
  await stores.close()
  await late
  await rejectsWith('STORE_UNAVAILABLE', stores.pins.list())
  await rejectsWith('STORE_UNAVAILABLE', stores.pins.put([pinOf('a')]))
}

async function openAgain(kind: StoreKind): Promise<void> {
  const place = await kind.create()
  const first = await place.open()
  await first.pins.put([pinOf('a')])
  await first.credentials.put(keyOf(), 'secret')
  await first.targets.remember('api', { fingerprint: 'f', targets: '[]', notes: {}, seenAt: 1 })
  await first.close()
  const second = await place.open()
  try {
    equal(await second.pins.list(), [pinOf('a')], 'the pins')
    equal((await second.credentials.get(keyOf()))?.value, 'secret', 'the credential')
    equal((await second.targets.recall('api'))?.fingerprint, 'f', 'the targets')
  } finally {
    await second.close()
  }
}

async function shareBetweenTwo(kind: StoreKind): Promise<void> {
  const place = await kind.create()
  const [first, second] = await Promise.all([place.open(), place.open()])
  try {
    await first.credentials.put(keyOf(), 'one', 0)
    equal(await second.credentials.put(keyOf(), 'x', 0), false, 'a first put where the other was first')
    equal((await second.credentials.get(keyOf()))?.value, 'one', 'what the other wrote')
    const version = (await second.credentials.get(keyOf()))!.version
    const won = await Promise.all(
      [first, second].map((each) => each.credentials.put(keyOf(), 'two', version)),
    )
    equal(won.filter(Boolean).length, 1, 'winners')
  } finally {
    await Promise.all([first.close(), second.close()])
  }
}

async function withStores(kind: StoreKind, use: (stores: Stores) => Promise<void>): Promise<void> {
  const stores = await (await kind.create()).open()
  try {
    await use(stores)
  } finally {
    await stores.close()
  }
}

function pinOf(name: string, changed: Partial<Pin> = {}): Pin {
  const decision: PinDecision = 'approved'
  const seenAt = 1_800_000_000_000
  return { connection: 'api', kind: 'tool', name, hash: 'h', definition: '{}', decision, seenAt, ...changed }
}

function keyOf(changed: Partial<CredentialKey> = {}): CredentialKey {
  return { connection: 'api', tenant: 't', subject: 's', issuer: 'https://i', kind: 'tokens', ...changed }
}

async function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  const thrown = await rejectionOf(promise)
  const shown = thrown instanceof WeirError ? thrown.code : thrown
  demand(shown === code, `it gave ${shown ?? 'no error'} instead of ${code}`)
}

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (thrown) {
    return thrown
  }
}
