import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'

let weir: Weir
let url: string
const folder = mkdtempSync(join(tmpdir(), 'weir-cached-'))
beforeAll(async () => {
  const many = new DatabaseSync(join(folder, 'main.db'))
  many.exec('create table many (n integer, text text)')
  const insert = many.prepare('insert into many values (?, ?)')
  for (let n = 1; n <= 5; n += 1) insert.run(n, 'x')
  many.close()
  weir = embedWeir({
    baseDir: folder,
    config: {
      connections: {
        db: { type: 'sql', databases: { main: { url: 'sqlite:./main.db', write: true, rowsMax: 2 } } },
      },
      policies: { 'db:*': { cache: '5m' }, 'db:execute_transaction': { invalidates: ['db:execute_query'] } },
      log: { level: 'silent' },
      server: { port: 0 },
    },
  })
  url = (await weir.listen()).url
  await weir.catalog.settled(5_000)
})
afterAll(async () => {
  await weir.close()
  rmSync(folder, { recursive: true, force: true })
})

async function call(name: string, args: object) {
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of the result.
  const { result } = (await response.json()) as any
  if (result.isError) throw new Error(result.content[0].text)
  return {
    content: JSON.parse(result.content[0].text),
    isHit: result._meta?.['weir/cache']?.hit === true,
  }
}
const query = (text: string, more: object = {}) =>
  call('db__execute_query', { query: text, database: 'main', ...more })
const write = (text: string) =>
  call('db__execute_transaction', { database: 'main', queries: [{ query: text }] })

it('D2-040: a query is answered from the cache until a write that invalidates it', async () => {
  await write('create table t (n integer)')
  await write('insert into t values (1)')
  expect(await query('select n from t')).toMatchObject({ isHit: false, content: { rows: [{ n: 1 }] } })
  expect(await query('select n from t')).toMatchObject({ isHit: true, content: { rows: [{ n: 1 }] } })
  await write('insert into t values (2)')
  expect(await query('select n from t')).toMatchObject({
    isHit: false,
    content: { rows: [{ n: 1 }, { n: 2 }] },
  })
})

it('pages behind a cursor are never answered from the cache', async () => {
  const pages = async () => {
    let page = await query('select n, text from many order by n', { with_cursor: true })
    expect(page).toMatchObject({ isHit: false, content: { next_cursor: expect.any(String) } })
    const rows = [...page.content.rows]
    while (page.content.next_cursor !== undefined) {
      const cursor = page.content.next_cursor
      page = await call('db__fetch_rows', { cursor })
      expect(page.isHit).toBe(false)
      rows.push(...page.content.rows)
      await expect(call('db__fetch_rows', { cursor })).rejects.toThrow('CURSOR_NOT_FOUND')
    }
    return rows.map(({ n }: { n: number }) => n)
  }
  expect(await pages()).toEqual([1, 2, 3, 4, 5])
  expect(await pages()).toEqual([1, 2, 3, 4, 5])
})
