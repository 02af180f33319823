import { expect, it } from 'vitest'
import type { ApiKey } from '../core/stores.ts'
import { makeFolder, openIn } from './store.fixture.ts'

const keyOf = (hash: string, changed: Partial<ApiKey> = {}): ApiKey => ({
  ...{ hash, id: 'k1', name: 'nightly', roles: ['analyst', 'writer'], tenant: 't' },
  ...{ createdAt: 1, createdBy: 'cli:ada', ...changed },
})

it('D2-091: keeps keys by their hash, across processes, the oldest first', async () => {
  const folder = makeFolder()
  const { apiKeys } = await openIn(folder)
  await apiKeys.put([keyOf('b', { createdAt: 2, endsAt: 5 }), keyOf('a')])
  const other = await openIn(folder)
  expect(await other.apiKeys.list()).toEqual([keyOf('a'), keyOf('b', { createdAt: 2, endsAt: 5 })])
  await other.apiKeys.put([keyOf('a', { endsAt: 9, roles: [] })])
  expect((await apiKeys.list())[0]).toEqual(keyOf('a', { endsAt: 9, roles: [] }))
  await apiKeys.remove(['a', 'missing'])
  expect((await other.apiKeys.list()).map(({ hash }) => hash)).toEqual(['b'])
})

it('refuses what is too large, and writes nothing of what came with it', async () => {
  const { apiKeys } = await openIn(makeFolder())
  const large = keyOf('b', { name: 'x'.repeat(9_000) })
  await expect(apiKeys.put([keyOf('a'), large])).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
  expect(await apiKeys.list()).toEqual([])
})

it('holds at most 10,000 keys', async () => {
  const { apiKeys } = await openIn(makeFolder())
  const many = Array.from({ length: 10_000 }, (_, n) => keyOf(`h${n}`))
  await expect(apiKeys.put([...many, keyOf('one more')])).rejects.toMatchObject({
    code: 'STORE_VALUE_TOO_LARGE',
  })
  await apiKeys.put(many)
  expect(await apiKeys.list()).toHaveLength(10_000)
  await apiKeys.put([keyOf('one more')])
  await expect(apiKeys.list()).rejects.toMatchObject({ code: 'STORE_VALUE_TOO_LARGE' })
})
