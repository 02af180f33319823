import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { Place } from '../spawn-weir.fixture.ts'

const secret = 'hunter2-of-the-operator'

function createPlace(audit: object = {}): Place {
  const databases = { shop: { url: 'sqlite:./shop.db', write: true } }
  const place = new Place({
    connections: {
      database: { type: 'sql', databases },
      api: {
        type: 'http',
        apis: { x: { baseUrl: 'https://x.example', auth: { bearer: '${TOKEN}' } } },
      },
    },
    ...{ audit, server: { port: 0 }, log: { level: 'warn' } },
  })
  const shop = new DatabaseSync(join(place.dir, 'shop.db'))
  shop.exec('create table orders (id integer, note text)')
  shop.close()
  return place
}

it('D1-062, D4-019, D4-081, B-122, B-128: a Weir that runs, and weir audit beside it, show who did what and that nobody changed it', {
  timeout: 90_000,
}, async () => {
  await using place = createPlace()
  const env = { TOKEN: secret }
  const run = (...args: readonly string[]) => place.run(args, { env })
  const weir = place.start(['start', '--port', '0', '--json'], env)
  const [, url = ''] = await weir.says('stdout', /"event":"listening","url":"([^"]+)"/)
  const execute = async (slug: string, input: object) => {
    const body = {
      tools: [{ tool_slug: `database:${slug}`, arguments: input }],
      ...{ thought: `Bob wants it, and said ${secret}.`, current_step: 'ORDERING' },
    }
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/mcp/execute`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return (await response.json()) as { successful: boolean }
  }
  const insert = [{ query: 'insert into orders values ($1, $2)', parameters: [1, secret] }]
  const done = await execute('execute_transaction', { database: 'shop', queries: insert })
  expect(done).toMatchObject({ successful: true })
  await execute('execute_query', { database: 'shop', query: 'select nonsense' })
  const list = async () => {
    const { stdout, stderr } = await run('audit', '--json')
    expect(stderr).toBe('')
    return (JSON.parse(stdout) as { calls: Record<string, unknown>[] }).calls
  }
  await expect.poll(list, { timeout: 20_000 }).toHaveLength(2)
  const [failed, written] = await list()
  expect(failed).toMatchObject({ tool: 'database:execute_query', error: 'SQL_ERROR', effect: 'read' })
  expect(written).toMatchObject({
    ...{
      kind: 'intent',
      tool: 'database:execute_transaction',
      outcome: 'ok',
      via: 'rest',
      effect: 'destructive',
    },
    ...{ thought: 'Bob wants it, and said [redacted].', step: 'ORDERING', tenant: 'default' },
    arguments: expect.stringContaining('insert into orders'),
  })
  const table = (await run('audit', '--tool', '*transaction', '--since', '1h')).stdout.split('\n')
  expect(table[2]).toMatch(/^\d{4}-.*database:execute_transaction +ok/)
  const exported = await run('audit', 'export', '--format', 'ocsf', '--since', '1h')
  expect(exported.stdout.trim().split('\n')).toHaveLength(3)
  expect((await run('audit', 'verify')).stdout).toMatch(
    /^ok: 3 records are as they were written\nchain .* head 3 /,
  )

  const store = join(place.dir, '.weir')
  const bytes = readdirSync(store).map((name) => readFileSync(join(store, name), 'latin1'))
  expect(bytes.join('').includes(secret)).toBe(false)

  const database = new DatabaseSync(join(store, 'weir.db'))
  database.exec(`update audit_records set subject = 'local:eve' where seq = 1`)
  database.close()
  const found = await run('audit', 'verify')
  expect(found).toMatchObject({
    code: 5,
    stdout: expect.stringMatching(/^tampered: record 1 is not what was written/),
  })
  expect((await weir.stop()).code).toBe(0)
})

it('keeps nothing, and makes no store, where it is switched off', { timeout: 60_000 }, async () => {
  await using place = createPlace({ enabled: false })
  const env = { TOKEN: secret }
  const query = ['query=select 1', 'database=shop', '--port', '0']
  expect(await place.run(['call', 'database:execute_query', ...query], { env })).toMatchObject({ code: 0 })
  expect(readdirSync(place.dir)).not.toContain('.weir')
})

it('holds the call of a command that opened its own connection', { timeout: 60_000 }, async () => {
  await using place = createPlace()
  const env = { TOKEN: secret }
  const query = ['query=select 1', 'database=shop', '--port', '0']
  expect(await place.run(['call', 'database:execute_query', ...query], { env })).toMatchObject({ code: 0 })
  const { stdout } = await place.run(['audit', '--json'], { env })
  expect(JSON.parse(stdout)).toMatchObject({ calls: [{ tool: 'database:execute_query', outcome: 'ok' }] })
})
