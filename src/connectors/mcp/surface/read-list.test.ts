import { describe, expect, it } from 'vitest'
import type { FakeMcpServer } from '../../../testing/fake-mcp-server.ts'
import { useUpstreams } from '../fixtures/upstream.fixture.ts'

const { start, connect } = useUpstreams()

describe('the list of tools', () => {
  it('is read page by page, and duplicates, nameless and oversized tools are left out', async () => {
    const big = { name: 'big', description: 'x'.repeat(256 * 1024) }
    const pages: Record<string, object> = {
      '': { tools: [{ name: 'a', description: 'first' }, { name: 7 }, big], nextCursor: 'p2' },
      p2: { tools: [{ name: 'a', description: 'second' }, { name: 'b' }, { name: 'n'.repeat(129) }] },
    }
    const upstream = await connect((await startPaged((cursor) => pages[cursor] ?? {})).url, { era: 'modern' })
    expect(upstream.connection.targets().map(({ name, description }) => [name, description])).toEqual([
      ['a', 'first'],
      ['b', ''],
    ])
  })

  it('ends where its pages lead in a circle', async () => {
    const server = await startPaged(() => ({ tools: [{ name: 'a' }], nextCursor: 'again' }))
    const upstream = await connect(server.url, { era: 'modern' })
    expect(upstream.connection.targets()).toHaveLength(1)
    expect(server.seen.filter(({ method }) => method === 'tools/list')).toHaveLength(2)
  })

  it('ends after 100 pages and after 10,000 tools', async () => {
    let page = 0
    const endless = await startPaged(() => ({ tools: [{ name: `t${page}` }], nextCursor: `c${page++}` }))
    expect((await connect(endless.url, { era: 'modern' })).connection.targets()).toHaveLength(100)
    const tools = Array.from({ length: 10_001 }, (_, index) => ({ name: `t${index}` }))
    const huge = await startPaged(() => ({ tools, nextCursor: 'more' }))
    expect((await connect(huge.url, { era: 'modern' })).connection.targets()).toHaveLength(10_000)
  })
})

/** A modern server whose pages of tools are the test's own. */
function startPaged(pageOf: (cursor: string) => object): Promise<FakeMcpServer> {
  return start({
    era: 'modern',
    intercept: ({ method, params, id }, response) => {
      if (method !== 'tools/list') return undefined
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: pageOf(String(params['cursor'] ?? '')) }))
      return true
    },
  })
}
