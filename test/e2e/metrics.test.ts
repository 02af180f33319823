import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embedWeir, type Weir } from '../../src/app.ts'
import { Place } from '../../src/cli/spawn-weir.fixture.ts'

describe('GET /metrics of a Weir that works', () => {
  const place = new Place()
  const api = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  )
  let weir: Weir
  let url = ''

  beforeAll(async () => {
    new DatabaseSync(join(place.dir, 'a.db')).exec('create table people (name text)')
    api.listen(0, '127.0.0.1')
    await once(api, 'listening')
    const baseUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
    weir = embedWeir({
      baseDir: place.dir,
      config: {
        log: { level: 'silent' },
        connections: {
          database: { type: 'sql', databases: { a: { url: 'sqlite:./a.db', write: true } } },
          api: { type: 'http', apis: { service: { baseUrl, allowPrivate: true } } },
        },
      },
    })
    url = (await weir.listen({ port: 0 })).url
    await weir.catalog.settled(5_000)
  })
  afterAll(async () => {
    await weir.close(0)
    api.close()
    await place[Symbol.asyncDispose]()
  })

  const execute = (tool_slug: string, input: object) =>
    fetch(`${url}/mcp/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tools: [{ tool_slug, arguments: input }] }),
    })
  const scrape = async () => (await fetch(`${url}/metrics`)).text()

  it('D1-016, D1-021, D3-103, D3-104, C-16: has the documents’ names, with labels that the catalog bounds', async () => {
    await execute('database:execute_query', { query: 'with x as (select 1) select * from x', database: 'a' })
    await execute('database:execute_query', { query: 'select nothing', database: 'a' })
    const insert = { query: 'insert into people values (?)', parameters: ['canary-9'] }
    await execute('database:execute_transaction', { queries: [insert], database: 'a' })
    await execute('database:execute_transaction', { queries: [insert, insert], database: 'a' })
    for (let n = 0; n < 3; n += 1)
      await execute('api:http_request', { api_name: 'service', method: 'GET', url: `/people/${n}` })
    const text = await scrape()
    for (const line of [
      'database_pool_created{database_type="sqlite"} 1',
      'database_query_duration_seconds_count{query_type="select"} 2',
      'database_query_duration_seconds_count{query_type="insert"} 1',
      'database_query_duration_seconds_count{query_type="batch"} 1',
      'external_api_calls_total{service="service",endpoint="GET"} 3',
      'mcp_tool_executions_total{tool="api:http_request",status="success"} 3',
      'mcp_tool_executions_total{tool="database:execute_query",status="failure"} 1',
      'mcp_server_operation_duration_seconds_count{mcp_method_name="tools/call",error_type="SQL_ERROR"} 1',
      'mcp_active_tools 0',
    ])
      expect(text.split('\n')).toContain(line)
    expect(text).not.toContain('canary-9')
  })

  it('B-144: what callers make up adds no series', async () => {
    const before = (await scrape()).split('\n').length
    for (let n = 0; n < 50; n += 1) {
      await execute(`database:made_up_${n}`, {})
      await execute('api:http_request', { api_name: `made-up-${n}`, method: 'GET', url: '/' })
      await execute('database:execute_query', { query: `made${n} up`, database: 'a' })
    }
    // One type of query and two kinds of error that had not been seen; nothing by their names.
    expect((await scrape()).split('\n').length - before).toBeLessThan(80)
    expect(await scrape()).not.toContain('made')
  })
})
