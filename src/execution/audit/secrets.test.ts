import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from '../../store/store.fixture.ts'
import { openAudited } from './audited.fixture.ts'

const keys = [
  'password',
  'API_KEY',
  'x-api-key',
  'Authorization',
  'client_secret',
  'refreshToken',
  'cookie',
  'passphrase',
  'privateKey',
  'connectionString',
]
const canary = (index: number) => `canary-${index}-7f3a9c5e`

/** Every byte that is kept, the log beside the database included. */
function readBytes(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.startsWith('weir.db'))
  return files.map((name) => readFileSync(join(folder, name), 'latin1')).join('\n')
}

it('S16, D2-092, B-128: writes no secret of twenty in arguments, by its key or by its value', async () => {
  const folder = makeFolder()
  const byKey = keys.map((key, index) => [key, canary(index)] as const)
  const byValue = Array.from({ length: 9 }, (_, index) => canary(10 + index))
  const odd = `canary-19-"quoted"\n\\7f3a`
  const secrets = [...byValue, odd, JSON.stringify(odd).slice(1, -1)]
  const { tool, close } = await openAudited(folder, secrets)
  const input = {
    A: 'kept-as-it-is',
    ...Object.fromEntries(byKey.slice(0, 5)),
    deep: [{ deeper: Object.fromEntries(byKey.slice(5)) }],
    text: `first ${byValue[0]} then ${byValue[1]}${byValue[2]}`,
    [byValue[3]!]: 1,
    url: `https://ada:canary-20-7f3a9c5e@host/?q=${byValue[4]}`,
    odd,
    // So long that the cut goes through the secret, wherever the rest is shortened.
    long: `${'x'.repeat(1_500)}${byValue[5]}${'y'.repeat(2_000)}`,
    list: byValue,
  }
  for (const effect of ['read', 'write'] as const) {
    for (let cut = 0; cut < 40; cut += 1) {
      const shifted = { a: 'x'.repeat(1_990 + cut), b: byValue[6], ...input }
      await tool({ effect })(`${effect} ${cut}`, cut === 0 ? input : shifted)
    }
    // All of it becomes one mark, behind which half a secret would stand where the search ends.
    await tool({ effect })('many', { a: byValue[7]!.repeat(5_000) })
    await tool({ effect })('huge', { a: `${'x'.repeat(64 * 1_024 - 10)}${byValue[7]}` })
  }
  const whileOpen = readBytes(folder)
  await close()
  const bytes = whileOpen + readBytes(folder)
  expect(bytes.includes('kept-as-it-is')).toBe(true)
  const found = Array.from({ length: 21 }, (_, index) => `canary-${index}-`).filter((each) =>
    bytes.includes(each),
  )
  expect(found).toEqual([])
  expect(bytes.includes('canary')).toBe(false)
})

it('S16: covers what assistants say of a call, and the keys of idempotency', async () => {
  const folder = makeFolder()
  const { stores, close } = await openAudited(folder, [canary(1)])
  const { encodeDraft } = await import('../../core/audit.ts')
  const text = `the ${canary(1)} of it`
  const draft = {
    thought: text,
    step: text,
    idempotencyKey: text,
    rule: text,
    tool: `resource:box:file:///${text}`,
  }
  await stores.audit.append([encodeDraft({ kind: 'call', at: 1, ...draft })])
  await close()
  expect(readBytes(folder)).toContain('the [redacted] of it')
  expect(readBytes(folder)).not.toContain('canary')
})
