import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { Place } from '../../src/cli/spawn-weir.fixture.ts'

const root = join(import.meta.dirname, '../..')

it('D2-091, R15: the example of authenticated callers, with the real program', {
  timeout: 60_000,
}, async () => {
  await using place = new Place()
  await promisify(execFile)(process.execPath, [join(root, 'examples/sqlite/seed.ts'), place.dir])
  place.write('weir.yaml', readFileSync(join(root, 'examples/authentication/weir.yaml'), 'utf8'))
  const keys = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await place.run(['keys', ...args, '--json'])
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout)
  }
  const { url, port } = await place.serve('start')
  const ask = async (key: string | undefined, tool: string, input: object) => {
    const response = await fetch(new URL('/mcp/execute', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ tools: [{ tool_slug: tool, arguments: { database: 'shop', ...input } }] }),
    })
    return [response.status, JSON.stringify(await response.json())] as const
  }
  const read = { query: 'select count(*) as n from orders' }
  const change = { queries: [{ query: 'delete from orders' }] }

  // Made while Weir runs, and taken at once.
  const { key, id } = await keys('create', 'nightly', '--role', 'analyst')
  const [status, first] = await ask(key, 'database:execute_query', read)
  expect([status, first]).toEqual([200, expect.stringContaining('"successful":true')])
  expect((await ask(undefined, 'database:execute_query', read))[0]).toBe(401)
  const [refused, why] = await ask(key, 'database:execute_transaction', change)
  expect([refused, why]).toEqual([403, expect.stringContaining('denies tool:database:execute_transaction')])
  const rowsOf = (text: string) => /"rows":\[.*?\]/.exec(text)?.[0]
  expect(rowsOf(first)).toBe('"rows":[{"n":3}]')
  expect(rowsOf((await ask(key, 'database:execute_query', read))[1])).toBe(rowsOf(first))

  // The command line, through the running Weir.
  const asked = await place.run(['tools', '--json', '--port', port], { env: { WEIR_TOKEN: key } })
  expect(asked.stdout).toContain('database:execute_query')
  expect(asked.stdout).not.toContain('database:execute_transaction')

  const { key: young } = await keys('rotate', 'nightly')
  for (const one of [key, young]) {
    expect((await ask(one, 'database:execute_query', read))[0]).toBe(200)
  }
  await keys('revoke', id)
  const both = async () => [
    (await ask(key, 'database:execute_query', read))[0],
    (await ask(young, 'database:execute_query', read))[0],
  ]
  await expect.poll(both, { timeout: 5_000, interval: 100 }).toEqual([401, 401])
})
