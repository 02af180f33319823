import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { embedWeir, type Weir } from '../../app.ts'
import { letter, type MailServer, startMailServer } from './mail-server.fixture.ts'

describe('mail, served', () => {
  let server: MailServer
  let weir: Weir
  let url: string
  beforeAll(async () => {
    server = await startMailServer()
    weir = embedWeir({
      config: {
        connections: {
          mail: { type: 'email', url: `smtp://127.0.0.1:${server.port}`, from: 'weir@example.com' },
        },
        log: { level: 'silent' },
      },
    })
    url = (await weir.listen({ port: 0 })).url
  })
  afterAll(async () => {
    await weir.close(0)
    await server.close()
  })

  const execute = async (input: unknown) => {
    const body = JSON.stringify({ tools: [{ tool_slug: 'mail:send_email', arguments: input }] })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/mcp/execute`, { method: 'POST', headers, body })
    const { data } = (await answer.json()) as { data: { results: Record<string, unknown>[] } }
    return data.results[0]!
  }

  /** Whoever operates this Weir agrees to the next mail. */
  const approve = () =>
    vi.waitFor(async () => {
      const [approval] = await weir.approvals.list('pending')
      const verdict = { decision: 'approved', by: { tenant: '', subject: 'operator:test' } } as const
      expect(await weir.approvals.decide(approval?.id ?? '', verdict)).toBe(true)
    })
  const executeApproved = async (input: unknown) => (await Promise.all([execute(input), approve()]))[0]

  it('D4-010, D4-011, D4-012: is discovered with the policies that it declares', async () => {
    const discovery = (await (await fetch(`${url}/mcp/discover?category=email`)).json()) as {
      tools: readonly object[]
    }
    expect(discovery.tools).toEqual([
      {
        name: 'mail:send_email',
        description: 'Send an email to specified recipients.',
        input_schema: expect.any(Object),
        output_schema: expect.any(Object),
        requires_confirmation: true,
        rate_limit: '10/hour',
        category: 'email',
        effect: 'write',
      },
    ])
  })

  it('D4-011, D4-025: sends, and refuses in the words of the document', async () => {
    expect(server.arrived).toHaveLength(0)
    expect(await executeApproved(letter)).toMatchObject({ successful: true, response: { status: 'sent' } })
    expect(await executeApproved({ ...letter, to: [] })).toMatchObject({
      successful: false,
      error: 'No recipients specified',
    })
    const refused = await execute({ ...letter, to: ['ada@example.com', 'ada'] })
    expect(refused).toMatchObject({ error_detail: { code: 'INVALID_INPUT' } })
    expect(refused['error']).toContain('/to/1')
    expect(server.arrived).toHaveLength(1)
  })
})
