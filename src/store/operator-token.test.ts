import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findOperatorToken } from './operator-token.ts'
import { makeFolder } from './store.fixture.ts'

const find = (folder: string) => findOperatorToken('sqlite:.weir/weir.db', folder)!

describe('S14: the operator’s token', () => {
  it('is made once, for nobody but its owner, and the same for everybody who reads it', async () => {
    const folder = makeFolder()
    const tokens = await Promise.all(Array.from({ length: 8 }, () => find(folder).read()))
    expect(new Set(tokens).size).toBe(1)
    expect(tokens[0]).toMatch(/^[0-9a-f]{64}$/)
    const { path } = find(folder)
    expect(path).toBe(join(folder, '.weir/operator-token'))
    expect(readFileSync(path, 'utf8')).toBe(tokens[0])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, '.weir')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(folder, '.weir')).sort()).toEqual(['.gitignore', 'operator-token', 'weir.db'])
  })

  it.each([0o640, 0o604, 0o660])('is refused where others can read it (%o)', async (mode) => {
    const folder = makeFolder()
    await find(folder).read()
    chmodSync(find(folder).path, mode)
    await expect(find(folder).read()).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      hint: expect.stringContaining('chmod 600'),
    })
  })

  it.each(['', 'short', 'x'.repeat(70)])('is refused where it holds %j', async (text) => {
    const folder = makeFolder()
    await find(folder).read()
    writeFileSync(find(folder).path, text)
    await expect(find(folder).read()).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  })

  it('may end with a line’s end, as an editor leaves it', async () => {
    const folder = makeFolder()
    const token = await find(folder).read()
    writeFileSync(find(folder).path, `${token}\r\n`)
    expect(await find(folder).read()).toBe(token)
  })

  it('is not there for a store that keeps nothing', () => {
    expect(findOperatorToken('sqlite::memory:', '.')).toBeUndefined()
  })
})
