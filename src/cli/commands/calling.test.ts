import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from '../spawn-weir.fixture.ts'

let place: Place
let port: string

// One running Weir serves the questions of all tests; port 0 asks for none, so that the command opens its own.
beforeAll(async () => {
  place = new Place()
  const running = await place.serve('start')
  port = running.port
})
afterAll(() => place[Symbol.asyncDispose]())

const where = { 'the running Weir': () => port, 'a connection of its own': () => '0' }
const query = (text: string, database = 'analytics') => [
  'call',
  'database:execute_query',
  `query=${text}`,
  `database=${database}`,
]

describe.each(Object.entries(where))('call through %s', (_, at) => {
  const run = (args: readonly string[], stdin = '') => place.run([...args, '--port', at()], { stdin })

  it('prints the answer as JSON, and nothing else on stdout', async () => {
    const { code, stdout } = await run(query('select count(*) as n from orders'))
    expect({ code, answer: JSON.parse(stdout) }).toMatchObject({ code: 0, answer: { rows: [{ n: 1_500 }] } })
    const compact = await run([...query('select 1 as n'), '--json'])
    expect(compact.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('prints text as text', async () => {
    const { code, stdout } = await run(['call', 'everything:get-sum', 'a=1', 'b=2'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'The sum of 1 and 2 is 3.\n' })
  })

  it('reads all arguments from stdin', async () => {
    const { code, stdout } = await run(['call', 'everything:echo', '--args', '-'], '{"message":"a\\nb"}')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Echo: a\nb\n' })
  })

  it('D0-021: runs the document’s transaction', async () => {
    const queries = [
      { query: 'UPDATE orders SET status = $1 WHERE id = $2', parameters: ['shipped', 1] },
      {
        query: 'INSERT INTO order_history (order_id, status, timestamp) VALUES ($1, $2, $3)',
        parameters: [1, 'shipped', '2026-11-01T00:00:00Z'],
      },
    ]
    const args = [
      'call',
      'database:execute_transaction',
      `queries=${JSON.stringify(queries)}`,
      'database=primary',
    ]
    expect(await run(args)).toMatchObject({ code: 0 })
  })

  it('names the nearest tools', async () => {
    expect((await run(['call', 'database:exeute_query'])).stderr).toMatch(
      /Did you mean database:execute_query/,
    )
    expect((await run(['call', 'databse:get_schema'])).stderr).toMatch(/Did you mean database/)
  })

  it('gives up after --timeout: exit 7', async () => {
    const slow = ['call', 'everything:trigger-long-running-operation', 'duration=60', 'steps=1']
    const { code, stdout, stderr } = await run([...slow, '--timeout', '1500ms'])
    expect({ code, stdout }).toEqual({ code: 7, stdout: '' })
    expect(stderr).toMatch(/^error: /m)
  })
})

/** A process for each: the running Weir answers for all, the command's own connection for one of each kind. */
const failures = [
  ['a statement that would write', query('delete from orders'), 6, 'SQL_READ_ONLY'],
  ['an unknown connection', ['call', 'databse:execute_query'], 1, 'TOOL_NOT_FOUND'],
  ['an argument of another type', ['call', 'database:execute_query', 'parameters=x'], 1, 'INVALID_PARAMS'],
  ['an unknown tool', ['call', 'database:exeute_query'], 1, 'TOOL_NOT_FOUND'],
  ['a statement that is wrong', query('selec 1'), 5, 'SQL_ERROR'],
  ['a database that is not there', query('select 1', 'nope'), 5, 'UNKNOWN_DATABASE'],
  ['a missing argument', ['call', 'database:execute_query', 'query=select 1'], 1, 'INVALID_INPUT'],
] as const

describe.each([
  ['the running Weir', (): string => port, failures],
  ['a connection of its own', (): string => '0', failures.slice(0, 4)],
] as const)('call through %s that fails', (_, at, cases) => {
  it.each(cases)('tells %s on stderr and by its exit code', async (_what, args, code, errorCode) => {
    const ended = await place.run([...args, '--json', '--port', at()])
    expect(ended).toMatchObject({ code, stdout: '' })
    const { error } = JSON.parse(ended.stderr.trim().split('\n').at(-1)!)
    expect(error).toMatchObject({ code: errorCode, message: expect.any(String), hint: expect.any(String) })
  })
})

describe('call', () => {
  const slow = ['call', 'everything:trigger-long-running-operation', 'duration=60', 'steps=600']

  it('shows progress on stderr, and is cancelled by Ctrl-C: exit 130', async () => {
    const running = place.start([...slow, '--port', '0'])
    await running.says('stderr', /progress 1\/600/)
    expect(await running.stop('SIGINT')).toMatchObject({ code: 130, stdout: '' })
  })

  it('takes the call back from the running Weir at Ctrl-C', async () => {
    const active = async (): Promise<string | undefined> => {
      const metrics: string = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      return /^mcp_active_tools (\d+)$/m.exec(metrics)?.[1]
    }
    const running = place.start([...slow, '--port', port])
    await expect.poll(active, { timeout: 10_000 }).toBe('1')
    expect(await running.stop('SIGINT')).toMatchObject({ code: 130, stdout: '' })
    await expect.poll(active, { timeout: 10_000 }).toBe('0')
  })

  it('opens no connection but the one it needs', async () => {
    const leaveMark = `require('fs').writeFileSync('mark', ''); process.exit(3)`
    await using own = new Place({
      connections: {
        marking: { type: 'mcp', command: process.execPath, args: ['-e', leaveMark] },
        other: { type: 'sql', databases: { main: { url: 'sqlite:./a.db', write: true } } },
      },
      server: { port: 0 },
    })
    const ended = await own.run(['call', 'other:execute_query', 'database=main', 'query=select 1 as n'])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(existsSync(join(own.dir, 'mark'))).toBe(false)
    const down = await own.run(['call', 'marking:anything'])
    expect(down).toMatchObject({ code: 4, stdout: '' })
    expect(down.stderr).toMatch(/^error: The connection marking is down: /m)
    expect(existsSync(join(own.dir, 'mark'))).toBe(true)
  })

  it('leaves nothing of the sample behind', async () => {
    const before = place.leftovers().length
    await place.run([...query('select 1'), '--port', '0'])
    expect(place.leftovers()).toHaveLength(before)
  })
})

describe('tools', () => {
  it.each(Object.entries(where))('lists them, of %s', async (_, at) => {
    const { code, stdout } = await place.run(['tools', '--json', '--port', at()])
    const { tools, connections } = JSON.parse(stdout)
    const ids = tools.map(({ id }: { id: string }) => id)
    expect(code).toBe(0)
    expect(ids).toEqual(
      expect.arrayContaining(['api:http_request', 'database:execute_query', 'everything:echo']),
    )
    expect(connections.map(({ name, state }: Record<string, string>) => `${name} ${state}`).sort()).toEqual([
      'api up',
      'database up',
      'everything up',
    ])
  })

  it.each(Object.entries(where))(
    'D4-032: narrows them to a category, of %s',
    { timeout: 60_000 },
    async (_, at) => {
      const list = async (...more: string[]) =>
        JSON.parse((await place.run(['tools', '--json', '--port', at(), ...more])).stdout).tools
      expect((await list('--category', 'General')).length).toBe((await list()).length)
      expect(await list('--category', 'other')).toEqual([])
      expect((await list('query', '--category', 'general'))[0]).toMatchObject({ category: 'general' })
    },
  )

  it('finds by words, one line a tool', async () => {
    const { stdout } = await place.run(['tools', 'execute', 'QUER', '--port', port])
    const [, , ...lines] = stdout.trim().split('\n')
    expect(
      lines
        .map((line) => line.split(' ')[0])
        .slice(0, 2)
        .sort(),
    ).toEqual(['database:execute_parallel_queries', 'database:execute_query'])
    const part = await place.run(['tools', 'LLEL_QUER', '--port', port])
    expect(part.stdout).toContain('database:execute_parallel_queries')
    expect(await place.run(['tools', 'zebra', '--port', port])).toMatchObject({ code: 0, stdout: '' })
  })

  it('shows why a connection is down; exit 4 where none is up', async () => {
    await using own = new Place({
      connections: { gone: { type: 'mcp', command: process.execPath, args: ['-e', 'process.exit(3)'] } },
      server: { port: 0 },
    })
    const { code, stdout, stderr } = await own.run(['tools'])
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(stderr).toMatch(/^warning: connection gone is down: ./m)
  })
})

it('C-26: says of an answer that stands in for the tool’s own that it does, here and there', async () => {
  const value = { status_code: 200, headers: {}, data: 'old', success: true }
  await using own = new Place({
    connections: {
      api: { type: 'http', apis: { gone: { baseUrl: 'http://127.0.0.1:1', allowPrivate: true } } },
    },
    policies: { '*': { retry: false, fallback: { value } } },
    server: { port: 0 },
  })
  const running = await own.serve('start')
  for (const at of [running.port, '0']) {
    const args = ['call', 'api:http_request', 'api_name=gone', 'method=GET', 'url=/', '--port', at]
    const { code, stdout, stderr } = await own.run(args)
    expect({ code, answer: JSON.parse(stdout) }).toEqual({ code: 0, answer: value })
    expect(stderr).toMatch(/^warning: not the tool’s own answer: No connection/m)
  }
})
