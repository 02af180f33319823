import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everything } from '../../core/caller.ts'
import { type Served, serveDesk } from './desk.fixture.ts'
import { renderDiscovery } from './render-discovery.ts'

const ada = { subject: 'local:ada', tenant: 'default', grants: everything }

let served: Served
beforeEach(async () => {
  served = await serveDesk()
})
afterEach(async () => {
  served.desk.release()
  await served.weir.close(0)
})

describe('D4-032: GET /mcp/discover, narrowed', () => {
  const names = async (query: string) => {
    const { body } = await served.send(`/mcp/discover${query}`)
    return body.tools.map(({ name }: { name: string }) => name)
  }

  it('to a category has the tools of that one, and general where a tool has none', async () => {
    expect(await names('?category=talk')).toEqual(['back:say', 'desk:say'])
    const general = await names('?category=general')
    expect(general).toContain('desk:send_email')
    expect(general).not.toContain('desk:say')
    expect(await names('?category=none')).toEqual([])
    expect(await names('?category=&search=%20')).toEqual(await names(''))
  })

  it('to words asks the catalog for at most 100, best first, and of the category', async () => {
    const { catalog } = served.weir
    const asked: unknown[] = []
    const search = async (words: string, options: object) => {
      asked.push([words, options])
      return [catalog.find('desk:say')!, catalog.find('desk:ask')!]
    }
    const parts = { catalog: { ...catalog, search }, server: { name: 'weir', version: '1' } }
    const found = await renderDiscovery(parts, ada, { search: 'say hello', category: 'talk' })
    expect(found.tools.map(({ name }) => name)).toEqual(['desk:say', 'desk:ask'])
    await renderDiscovery(parts, ada, { search: 'x' })
    expect(asked).toEqual([
      ['say hello', { limit: 100, category: 'talk' }],
      ['x', { limit: 100, category: undefined }],
    ])
  })

  it.each([
    '?search=a&search=b',
    '?category=a&category=b',
    `?search=${'x'.repeat(1_001)}`,
  ])('refuses %.40s', async (query) => {
    const { status, body } = await served.send(`/mcp/discover${query}`)
    expect([status, body.error_detail.code]).toEqual([400, 'INVALID_REQUEST'])
  })
})
