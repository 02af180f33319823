import { hash, randomBytes } from 'node:crypto'
import { WeirError } from '../../core/error.ts'
import { findNearestKey } from '../../core/nearest-key.ts'
import type { ApiKey, ApiKeyStore } from '../../core/stores.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { readUser } from '../read-user.ts'
import { renderTable } from '../render-table.ts'

/** The keys of the configured store, for as long as a command runs. */
interface OpenKeys {
  readonly keys: ApiKeyStore
  readonly roles: readonly string[]
  readonly isOn: boolean
  close(): Promise<void>
}
type Act<O> = (context: CommandContext, options: O, words: readonly string[]) => Promise<number>

interface CreateOptions {
  readonly role?: string
  readonly tenant?: string
}

/** What `weir keys`, `weir keys create`, `rotate` and `revoke` do. */
interface KeyCommands {
  readonly list: Act<object>
  readonly create: Act<CreateOptions>
  readonly rotate: Act<object>
  readonly revoke: Act<object>
}

const dayMs = 86_400_000
/** D2-091: when a secret is old, and how long it holds beside the one that follows it. */
const rotateAfterMs = 90 * dayMs
const graceMs = dayMs
/** Keys that have ended are listed so long, and forgotten by the next that is made. */
const rememberedMs = 90 * dayMs

/** Commands over the store that `openKeyStore` opens. */
export function createKeyCommands(
  openKeyStore: (context: CommandContext) => Promise<OpenKeys>,
  now: () => number = Date.now,
): KeyCommands {
  const over =
    <O>(act: (opened: OpenKeys, output: Output, options: O, word: string) => Promise<void>): Act<O> =>
    async (context, options, [word = '']) => {
      const opened = await openKeyStore(context)
      try {
        await act(opened, context.output, options, word)
        return exits.ok
      } finally {
        await opened.close()
      }
    }
  return {
    list: over(({ keys }, output) => list(keys, output, now())),
    create: over((opened, output, options: CreateOptions, word) =>
      create(opened, output, options, word, now()),
    ),
    rotate: over(({ keys }, output, _options, word) => rotate(keys, output, word, now())),
    revoke: over(({ keys }, output, _options, word) => revoke(keys, output, word, now())),
  }
}

async function list(store: ApiKeyStore, output: Output, nowMs: number): Promise<void> {
  const keys = await store.list()
  if (output.isJson) {
    output.json({ keys: keys.map((key) => describe(key, nowMs)) })
    return
  }
  if (keys.length === 0) {
    output.note('There are no keys: `weir keys create NAME --role ROLE` makes one.')
    return
  }
  const rows = keys.map((key) => {
    const { id, roles, tenant, createdAt, createdBy } = key
    const state = stateOf(key, nowMs)
    return {
      ...{ id, roles: roles.join(', '), tenant, state },
      ...{ created: dateOf(createdAt), by: createdBy },
    }
  })
  output.text(renderTable(rows, output.lineLimit))
}

async function create(
  { keys: store, roles: known, isOn }: OpenKeys,
  output: Output,
  { role = '', tenant = 'default' }: CreateOptions,
  name: string,
  nowMs: number,
): Promise<void> {
  const roles = role.split(',').filter(Boolean)
  requireName(name)
  requireRoles(roles, known)
  const id = `${name}-${randomBytes(3).toString('hex')}`
  const { secret, key } = makeKey({ id, name, roles, tenant }, nowMs)
  const old = (await store.list()).filter(({ endsAt = nowMs }) => endsAt + rememberedMs < nowMs)
  if (old.length > 0) await store.remove(old.map((one) => one.hash))
  await store.put([key])
  tellSecret(output, secret, key, nowMs)
  if (!isOn) output.tell('warning', 'the configuration takes no keys: set `auth.apiKeys: true`')
}

async function rotate(store: ApiKeyStore, output: Output, word: string, nowMs: number): Promise<void> {
  const alive = findAlive(await store.list(), word, nowMs)
  const { id, name, roles, tenant } = alive[0]!
  const { secret, key } = makeKey({ id, name, roles, tenant }, nowMs)
  const ending = alive.map((one) => ({ ...one, endsAt: Math.min(one.endsAt ?? Infinity, nowMs + graceMs) }))
  await store.put([...ending, key])
  tellSecret(output, secret, key, nowMs)
  output.note(`The secret before it holds until ${new Date(nowMs + graceMs).toISOString()}.`)
}

async function revoke(store: ApiKeyStore, output: Output, word: string, nowMs: number): Promise<void> {
  const alive = findAlive(await store.list(), word, nowMs)
  const ended = alive.map((one) => ({ ...one, endsAt: nowMs }))
  await store.put(ended)
  if (output.isJson) output.json({ revoked: ended.map((key) => describe(key, nowMs)) })
  else output.text(`revoked ${alive[0]!.id}; a running Weir refuses it within 5 seconds`)
}

/** The secret is told here and nowhere else: only its hash is kept. */
function makeKey(
  what: Pick<ApiKey, 'id' | 'name' | 'roles' | 'tenant'>,
  nowMs: number,
): { readonly secret: string; readonly key: ApiKey } {
  const secret = `mcp_${randomBytes(32).toString('hex')}`
  const createdBy = `cli:${readUser()}`
  return { secret, key: { ...what, hash: hash('sha256', secret, 'hex'), createdAt: nowMs, createdBy } }
}

function tellSecret(output: Output, secret: string, key: ApiKey, nowMs: number): void {
  if (output.isJson) {
    output.json({ key: secret, ...describe(key, nowMs) })
    return
  }
  output.text(secret)
  const due = new Date(key.createdAt + rotateAfterMs).toISOString().slice(0, 10)
  output.note(`This is ${key.id}. Keep it: it is not shown again. Rotate it by ${due}.`)
}

/** By its id, or by its name where one key alone has it. */
function findAlive(keys: readonly ApiKey[], word: string, nowMs: number): readonly ApiKey[] {
  const alive = keys.filter(({ endsAt = Infinity }) => nowMs < endsAt)
  const ids = new Set(alive.filter(({ id, name }) => id === word || name === word).map(({ id }) => id))
  const exact = ids.has(word) ? word : [...ids][0]
  if (exact !== undefined && (ids.size === 1 || exact === word)) return alive.filter(({ id }) => id === exact)
  const what = JSON.stringify(word.slice(0, 100))
  const message =
    ids.size === 0
      ? `No key that holds is called ${what}.`
      : `Several keys are called ${what}: ${[...ids].join(', ')}.`
  throw new WeirError('INVALID_PARAMS', message, { hint: '`weir keys` lists them.' })
}

function stateOf({ createdAt, endsAt }: ApiKey, nowMs: number): string {
  if (endsAt !== undefined) return endsAt <= nowMs ? 'ended' : `ends ${new Date(endsAt).toISOString()}`
  return nowMs - createdAt > rotateAfterMs ? 'older than 90 days: rotate it' : 'valid'
}

function describe(key: ApiKey, nowMs: number) {
  const { id, name, roles, tenant, createdAt, createdBy, endsAt } = key
  return {
    ...{ id, name, roles, tenant, state: stateOf(key, nowMs), createdAt: dateOf(createdAt), createdBy },
    ...(endsAt === undefined ? {} : { endsAt: dateOf(endsAt) }),
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString()
}

function requireName(name: string): void {
  if (/^[a-z0-9][a-z0-9-]{0,47}$/.test(name)) return
  throw new WeirError('INVALID_PARAMS', `${JSON.stringify(name.slice(0, 100))} is no name of a key.`, {
    hint: 'A name has at most 48 characters, of a-z, 0-9 and -.',
  })
}

function requireRoles(roles: readonly string[], known: readonly string[]): void {
  const there = known.length === 0 ? 'The configuration has no roles yet.' : `There are: ${known.join(', ')}.`
  if (roles.length === 0) {
    throw new WeirError('INVALID_PARAMS', 'A key without a role could do nothing.', {
      hint: `Name one with --role. ${there}`,
    })
  }
  const unknown = roles.find((role) => !known.includes(role))
  if (unknown === undefined) return
  const nearest = findNearestKey(unknown, known)
  throw new WeirError('INVALID_PARAMS', `No role is named ${JSON.stringify(unknown.slice(0, 100))}.`, {
    hint: nearest === undefined ? there : `Did you mean ${nearest}?`,
  })
}
