import { hash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Stores } from '../../core/stores.ts'
import { openStore } from '../../store/open-store.ts'
import type { Output } from '../output.ts'
import { createKeyCommands } from './keys.ts'

const dayMs = 86_400_000
let stores: Stores
let nowMs: number
let isOn: boolean
beforeEach(async () => {
  stores = await openStore({ url: 'sqlite::memory:', baseDir: '/', log: silentLogger })
  nowMs = 1_800_000_000_000
  isOn = true
})
afterEach(() => stores.close())

const commands = createKeyCommands(
  async () => ({ keys: stores.apiKeys, roles: ['analyst', 'writer'], isOn, close: async () => {} }),
  () => nowMs,
)

async function run<K extends keyof typeof commands>(command: K, words: readonly string[] = [], options = {}) {
  const said: string[] = []
  let json: ReturnType<typeof JSON.parse>
  const output: Output = {
    ...{ isJson: true, isTerminal: false, lineLimit: {} },
    json: (value) => {
      json = value
    },
    text: (text) => void said.push(text),
    note: (text) => void said.push(text),
    tell: (_kind, text) => void said.push(text),
    fail: () => {},
    redactWith: () => {},
    redact: (text) => text,
  }
  await commands[command]({ output }, options, words)
  return { json, said: said.join('\n') }
}
const create = async (name = 'nightly', options: object = { role: 'analyst' }) =>
  (await run('create', [name], options)).json
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('It was done.'),
    (thrown: WeirError) => `${thrown.code} ${thrown.message} ${thrown.hint}`,
  )

describe('D2-091: weir keys', () => {
  it('makes a key, tells its secret once, and keeps only its hash', async () => {
    const made = await create('nightly', { role: 'analyst,writer', tenant: 'acme' })
    expect(made.key).toMatch(/^mcp_[0-9a-f]{64}$/)
    expect(made).toMatchObject({ roles: ['analyst', 'writer'], tenant: 'acme', state: 'valid' })
    const [stored] = await stores.apiKeys.list()
    expect(stored).toMatchObject({ hash: hash('sha256', made.key, 'hex'), id: made.id, name: 'nightly' })
    expect(JSON.stringify(stored)).not.toContain(made.key.slice(4))
    expect(JSON.stringify((await run('list')).json)).not.toContain(made.key.slice(4))
  })

  it('R15: rotates a key, whose old secret holds for 24 h', async () => {
    const made = await create()
    nowMs += 1_000
    const rotated = (await run('rotate', ['nightly'])).json
    expect(rotated.id).toBe(made.id)
    expect(rotated.key).not.toBe(made.key)
    const [old, young] = await stores.apiKeys.list()
    expect([old!.endsAt, young!.endsAt]).toEqual([nowMs + dayMs, undefined])
    nowMs += 1_000
    await run('rotate', [made.id])
    expect((await stores.apiKeys.list())[0]!.endsAt).toBe(nowMs - 1_000 + dayMs)
  })

  it('revokes every secret of a key at once', async () => {
    const { id } = await create()
    await run('rotate', [id])
    await run('revoke', [id])
    expect((await stores.apiKeys.list()).map(({ endsAt }) => endsAt)).toEqual([nowMs, nowMs])
    expect(await refusal(run('revoke', [id]))).toContain('No key that holds')
  })

  it('lists keys with how they stand, and says which are old', async () => {
    await create('old')
    nowMs += 90 * dayMs + 1
    await create('new')
    const { keys } = (await run('list')).json
    expect(keys.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
      ['old', 'older than 90 days: rotate it'],
      ['new', 'valid'],
    ])
  })

  it('forgets keys that ended long ago', async () => {
    const { id } = await create('old')
    await run('revoke', [id])
    nowMs += 90 * dayMs + 1
    await create('new')
    expect((await stores.apiKeys.list()).map(({ name }) => name)).toEqual(['new'])
  })

  it.each([
    ['Bad Name', { role: 'analyst' }, 'is no name'],
    ['', { role: 'analyst' }, 'is no name'],
    ['a', {}, 'without a role'],
    ['a', { role: 'analist' }, 'Did you mean analyst?'],
  ])('refuses to make %j with %j', async (name, options, message) => {
    expect(await refusal(create(name, options))).toContain(message)
    expect(await stores.apiKeys.list()).toEqual([])
  })

  it('asks which key is meant where several have the name', async () => {
    const { id } = await create()
    await create()
    expect(await refusal(run('revoke', ['nightly']))).toContain('Several keys')
    await run('revoke', [id])
    await run('revoke', ['nightly'])
  })

  it('warns where the configuration takes no keys', async () => {
    isOn = false
    expect((await run('create', ['a'], { role: 'analyst' })).said).toContain('auth.apiKeys: true')
  })
})
