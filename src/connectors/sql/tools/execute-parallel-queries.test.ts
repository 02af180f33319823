import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestConnection, sampleTables, type TestConnection } from '../open-test-connection.fixture.ts'

let test: TestConnection

beforeAll(async () => {
  test = await openTestConnection(sampleTables, { main: { url: 'sqlite:./main.db', write: true } })
})
afterAll(() => test.dispose())

it('D1-019, B-09: execute_parallel_queries answers by alias, each with its own outcome', async () => {
  const queries = [
    { query: 'select 1 as a', alias: 'one' },
    { query: 'select nonsense', alias: 'bad' },
    { query: 'delete from customers', alias: 'write' },
    { query: 'select $1 as a', parameters: ['x'], alias: '__proto__' },
  ]
  const answer = (await test.call('execute_parallel_queries', { queries, database: 'main' })) as {
    results: object
  }
  expect(answer.results).toMatchObject({
    one: { rows: [{ a: 1 }], count: 1, execution_time_ms: expect.any(Number) },
    bad: {
      error: { code: 'SQL_ERROR', message: expect.stringContaining('nonsense'), hint: expect.any(String) },
    },
    write: { error: { code: 'SQL_READ_ONLY' } },
  })
  expect(Object.keys(answer.results)).toEqual(['one', 'bad', 'write', '__proto__'])
  await expect(
    test.call('execute_parallel_queries', { queries: [queries[0], queries[0]], database: 'main' }),
  ).rejects.toMatchObject({ code: 'INVALID_INPUT' })
})

it('D1-019, D1-014: fifty queries at once all come back', async () => {
  const queries = Array.from({ length: 50 }, (_, index) => ({
    query: 'select $1 as n',
    parameters: [index],
    alias: `q${index}`,
  }))
  const answer = (await test.call('execute_parallel_queries', { queries, database: 'main' })) as {
    results: Record<string, { rows: { n: number }[] }>
  }
  for (let index = 0; index < 50; index++) expect(answer.results[`q${index}`]!.rows).toEqual([{ n: index }])
})
