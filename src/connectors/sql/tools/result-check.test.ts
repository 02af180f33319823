import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestConnection, sampleTables, type TestConnection } from '../open-test-connection.fixture.ts'

let test: TestConnection
beforeAll(async () => {
  test = await openTestConnection(sampleTables, { main: { url: 'sqlite:./main.db' } })
})
afterAll(() => test.dispose())

const query = 'select id, name from customers order by id'
const ask = (more: object) => test.call('execute_query', { query, database: 'main', ...more })
const row = (name: object) => ({
  type: 'object',
  required: ['id', 'name'],
  properties: { id: { type: 'integer' }, name },
})

it('D1-017, D1-022: rows that fit expected_schema say so, and without one nothing is claimed', async () => {
  expect(await ask({ expected_schema: row({ type: 'string' }) })).toMatchObject({
    count: 2,
    quality_validation: { passed: true, rows_checked: 2 },
  })
  expect(await ask({ expected_schema: { type: 'array', minItems: 2 } })).toMatchObject({
    quality_validation: { passed: true, rows_checked: 2 },
  })
  expect(await ask({})).toMatchObject({ quality_validation: null })
})

it('B-38: rows that do not fit fail as QUALITY_REJECTED and name the first that does not', async () => {
  await expect(ask({ expected_schema: row({ type: 'string', pattern: '^A' }) })).rejects.toMatchObject({
    code: 'QUALITY_REJECTED',
    message: expect.stringContaining('/1/name'),
    data: { faults: [{ path: '/1/name', message: expect.any(String) }] },
  })
  await expect(ask({ expected_schema: { type: 'array', maxItems: 1 } })).rejects.toMatchObject({
    code: 'QUALITY_REJECTED',
  })
  const tolerated = await ask({ expected_schema: row({ type: 'null' }), quality_validation: false })
  expect(tolerated).toMatchObject({ count: 2, quality_validation: null })
})

it.each([
  ['what is no schema', { type: 'nothing' }],
  ['a reference to elsewhere', { $ref: 'https://example.com/schema.json' }],
  [
    'S17: a schema that nests without end',
    Array.from({ length: 40 }).reduce((inner) => ({ items: inner }), {}) as object,
  ],
])('refuses %s before anything runs', async (_, schema) => {
  await expect(ask({ expected_schema: schema, query: 'select * from no_such_table' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('expected_schema'),
  })
})

it('D1-019: execute_parallel_queries holds each query to a schema of its own', async () => {
  const queries = [
    { query, alias: 'good', expected_schema: row({ type: 'string' }) },
    { query, alias: 'bad', expected_schema: row({ type: 'integer' }) },
    { query, alias: 'free' },
  ]
  expect(await test.call('execute_parallel_queries', { queries, database: 'main' })).toMatchObject({
    results: {
      good: { count: 2, quality_validation: { passed: true, rows_checked: 2 } },
      bad: { error: { code: 'QUALITY_REJECTED' } },
      free: { count: 2, quality_validation: null },
    },
  })
})
