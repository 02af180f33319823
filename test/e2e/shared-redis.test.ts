import { expect, it } from 'vitest'
import { serveDesk } from '../../src/frontends/rest/desk.fixture.ts'
import { describeWith } from '../services/describe-with.ts'

describeWith('redis', 'two Weirs with one Redis', (url) => {
  it('D2-093: share a limit', async () => {
    // So that neither has to read the library while a call waits.
    await import('redis')
    const config = {
      redis: { url, prefix: `weir-test-${process.pid}-${Date.now()}:` },
      policies: { 'desk:say': { rateLimit: { limit: '2/minute', per: 'tool' } } },
    }
    const both = [await serveDesk(config), await serveDesk(config)]
    try {
      const statuses: number[] = []
      for (const served of [...both, ...both]) {
        statuses.push((await served.execute({ tools: [{ tool_slug: 'desk:say' }] })).status)
      }
      expect(statuses).toEqual([200, 200, 429, 429])
    } finally {
      for (const { weir } of both) await weir.close(0)
    }
  })
})
