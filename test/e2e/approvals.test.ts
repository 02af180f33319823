import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, vi } from 'vitest'
import { Place } from '../../src/cli/spawn-weir.fixture.ts'
import { startRawClient } from './raw-client.fixture.ts'

/** A gateway of its own process over a table, into which nothing may be written without approval. */
async function openShop(options: { readonly hold?: string; readonly confirm?: true | 'client' } = {}) {
  const { hold = '20s', confirm = true } = options
  const place = new Place({
    connections: { database: { type: 'sql', databases: { shop: { url: 'sqlite:./shop.db', write: true } } } },
    policies: { 'database:execute_transaction': { confirm } },
    approvals: { hold },
    log: { level: 'warn' },
    server: { port: 0 },
  })
  const table = new DatabaseSync(join(place.dir, 'shop.db'))
  table.exec('create table orders (id integer primary key, customer text)')
  table.close()
  const rows = () => {
    const database = new DatabaseSync(join(place.dir, 'shop.db'))
    const found = database.prepare('select customer from orders order by id').all()
    database.close()
    return found.map(({ customer }) => customer)
  }
  let weir = await place.serve('start')
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${weir.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: JSON.parse(await response.text()) }
  }
  const insert = (customer: string) => {
    const queries = [{ query: 'insert into orders (customer) values (?)', parameters: [customer] }]
    return { database: 'shop', queries }
  }
  return {
    ...{ place, rows, post, insert },
    get weir() {
      return weir
    },
    execute: (customer: string) =>
      post('/mcp/execute', {
        tools: [{ tool_slug: 'database:execute_transaction', arguments: insert(customer) }],
      }).catch(() => ({ status: 0, body: JSON.parse('null') })),
    approvals: async (...words: readonly string[]) => {
      const { code, stdout, stderr } = await place.run(['approvals', ...words, '--json'])
      return { code, ...JSON.parse(stdout || stderr) }
    },
    async waiting() {
      for (;;) {
        const { stdout } = await place.run(['approvals', '--json'])
        const [first] = (JSON.parse(stdout) as { approvals: { id: string }[] }).approvals
        if (first !== undefined) return first.id
      }
    },
    token: () => readFileSync(join(place.dir, '.weir/operator-token'), 'utf8'),
    async restart(signal: NodeJS.Signals) {
      await weir.stop(signal)
      weir = await place.serve('start')
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  }
}

const patience = { timeout: 60_000 }

describe('S14, D4-017, B-122: a tool that needs approval, and a row that is there only with it', () => {
  it('is held until another process approves, and only once', patience, async () => {
    await using shop = await openShop()
    const held = shop.execute('Ada')
    const id = await shop.waiting()
    expect(await shop.approvals('show', id)).toMatchObject({
      ...{ code: 0, state: 'pending', tool: 'database:execute_transaction' },
      shown: JSON.stringify(shop.insert('Ada')),
    })
    expect(shop.rows()).toEqual([])
    expect(await shop.approvals('approve', id)).toMatchObject({ code: 0, state: 'approved' })
    expect((await held).body).toMatchObject({ successful: true })
    expect(shop.rows()).toEqual(['Ada'])
    expect(await shop.approvals('approve', id)).toMatchObject({ code: 1, error: { code: 'APPROVAL_CLOSED' } })
    expect(await shop.approvals('approve', 'f'.repeat(32))).toMatchObject({
      error: { code: 'APPROVAL_NOT_FOUND' },
    })
    const { approvals } = await shop.approvals('--all')
    expect(approvals).toMatchObject([{ id, state: 'used', decidedBy: expect.stringMatching(/^operator:/) }])
    expect(shop.rows()).toEqual(['Ada'])
  })

  it('is refused with the reason', patience, async () => {
    await using shop = await openShop()
    const held = shop.execute('Ada')
    expect(await shop.approvals('deny', await shop.waiting(), '--reason', 'Too late.')).toMatchObject({
      code: 0,
    })
    expect((await held).body.data.results).toMatchObject([
      { successful: false, error_detail: { code: 'CONFIRMATION_DENIED', message: /Too late/ } },
    ])
    expect(shop.rows()).toEqual([])
  })

  it('waits in every dialect: MCP, REST and the command line', patience, async () => {
    await using shop = await openShop({ hold: '200ms' })
    const { body } = await shop.execute('Ada')
    const [item] = body.data.results
    expect(body.successful).toBe(false)
    expect(item).toMatchObject({ successful: false, status: 'pending_approval' })
    const id = item.approval_id
    const params = { name: 'database__execute_transaction', arguments: shop.insert('Ada') }
    const called = await shop.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    expect(called.body.result).toMatchObject({
      isError: true,
      _meta: { 'weir/approval': { id, status: 'pending', expiresAt: item.expires_at } },
    })
    expect(called.body.result.content[0].text).toContain('exactly the same arguments')
    const args = ['--args', JSON.stringify(shop.insert('Ada')), '--port', shop.weir.port]
    const call = () => shop.place.run(['call', 'database:execute_transaction', ...args, '--json'])
    const waiting = await call()
    expect(waiting.code).toBe(6)
    expect(JSON.parse(waiting.stdout)).toEqual({
      ...{ status: 'pending_approval', approvalId: id, expiresAt: item.expires_at },
    })
    expect(shop.rows()).toEqual([])
    await shop.approvals('approve', id)
    expect(await call()).toMatchObject({ code: 0 })
    expect(shop.rows()).toEqual(['Ada'])
    expect((await call()).code).toBe(6)
    expect(shop.rows()).toEqual(['Ada'])
  })

  it('is not approved by anything its requester can see or send', patience, async () => {
    await using shop = await openShop({ hold: '100ms' })
    const [{ approval_id: id }] = (await shop.execute('Ada')).body.data.results
    await vi.waitFor(() => expect(shop.token()).toMatch(/^[0-9a-f]{64}$/))
    const path = `/api/admin/approvals/${id}/approve`
    const forged = ['', 'Bearer ', `Bearer ${id}`, `Bearer ${'0'.repeat(64)}`, `Basic ${id}`, 'Bearer null']
    for (const authorization of forged) {
      const headers: Record<string, string> = authorization === '' ? {} : { authorization }
      expect((await shop.post(path, undefined, headers)).status, authorization).toBe(403)
      const listed = await fetch(`${shop.weir.url}/api/admin/approvals`, { headers })
      expect([listed.status, await listed.text()]).toEqual([403, expect.not.stringContaining(id)])
    }
    const answer = { approve: { action: 'accept', content: { approve: true } } }
    const params = {
      ...{ name: 'database__execute_transaction', arguments: shop.insert('Ada') },
      ...{ inputResponses: answer, _meta: { 'weir/approval': { id, status: 'approved' } } },
    }
    await shop.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    const tool = { tool_slug: 'database:execute_transaction', arguments: shop.insert('Ada') }
    for (const more of [{ approval_id: id }, { approved: true }, { status: 'approved' }]) {
      await shop.post('/mcp/execute', { tools: [{ ...tool, ...more }] })
    }
    await shop.execute('Ada')
    expect(shop.rows()).toEqual([])
    const evil = { authorization: `Bearer ${shop.token()}`, origin: 'https://evil.example' }
    expect((await shop.post(path, undefined, evil)).status).toBe(403)
    await shop.execute('Ada')
    expect(shop.rows()).toEqual([])
    const headers = { authorization: `Bearer ${shop.token()}` }
    const wrong = [{ reason: 1 }, { approve: true }, [], 'x'.repeat(10)]
    for (const body of wrong) expect((await shop.post(path, body, headers)).status).toBe(400)
    expect(await shop.post(path, { reason: 'Fine.' }, headers)).toMatchObject({
      ...{ status: 200, body: { state: 'approved', decided_by: 'operator' } },
    })
    expect((await shop.post(path, undefined, headers)).status).toBe(409)
    expect((await shop.post(path.replace(id, 'none'), undefined, headers)).status).toBe(404)
    await Promise.all([shop.execute('Ada'), shop.execute('Ada')])
    expect(shop.rows()).toEqual(['Ada'])
  })

  it(
    'is not run by a restart, of a Weir that was killed while it held the call or ended',
    patience,
    async () => {
      await using shop = await openShop()
      const held = shop.execute('Ada')
      const id = await shop.waiting()
      await shop.restart('SIGKILL')
      await held
      const again = shop.execute('Ada')
      expect(await shop.waiting()).toBe(id)
      // R13: who ends in order answers that there is no decision yet.
      await shop.restart('SIGTERM')
      expect((await again).body.data.results).toMatchObject([{ status: 'pending_approval', approval_id: id }])
      await shop.approvals('approve', id)
      await shop.restart('SIGTERM')
      expect(shop.rows()).toEqual([])
      expect((await shop.execute('Ada')).body).toMatchObject({ successful: true })
      expect(shop.rows()).toEqual(['Ada'])
    },
  )
})

describe('S14: a tool that the caller’s own user has to approve', () => {
  it('asks by elicitation, and refuses those who cannot be asked', patience, async () => {
    await using shop = await openShop({ confirm: 'client' })
    expect((await shop.execute('Ada')).body.data.results).toMatchObject([
      { error_detail: { code: 'INPUT_UNSUPPORTED' } },
    ])
    const headers = {
      ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' },
      'mcp-name': 'database__execute_transaction',
    }
    const call = (customer: string, more: object) => {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
      }
      const params = { name: headers['mcp-name'], arguments: shop.insert(customer), _meta, ...more }
      return shop.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers)
    }
    const { result } = (await call('Ada', {})).body
    expect(result).toMatchObject({ resultType: 'input_required' })
    expect(result.inputRequests.approve.params.message).toContain('insert into orders')
    const yes = { approve: { action: 'accept', content: { approve: true } } }
    const answer = { inputResponses: yes, requestState: result.requestState }
    expect((await call('Mallory', answer)).body).toMatchObject({ error: { code: -32602 } })
    expect(shop.rows()).toEqual([])
    expect((await call('Ada', answer)).body.result).toMatchObject({ resultType: 'complete' })
    expect(shop.rows()).toEqual(['Ada'])
    await call('Ada', answer)
    expect(shop.rows()).toEqual(['Ada'])
    expect((await shop.approvals('--all')).approvals).toMatchObject([{ decidedBy: 'client' }])
  })

  it('asks a client of the old era while its call runs, and takes its no', patience, async () => {
    await using shop = await openShop({ confirm: 'client' })
    const call = async (capabilities: object, action: object) => {
      const client = startRawClient(new URL('/mcp', shop.weir.url), capabilities)
      const session = await client.initialize()
      const params = { name: 'database__execute_transaction', arguments: shop.insert('Ada') }
      const stream = await client.open('tools/call', params, session)
      const first = await stream.next()
      if (first.method === undefined) return first
      expect(first).toMatchObject({ method: 'elicitation/create' })
      await client.post({ jsonrpc: '2.0', id: first.id, result: action }, session)
      return stream.next()
    }
    const errorOf = (code: string) => ({ result: { isError: true, _meta: { 'weir/error': { code } } } })
    const asking = { elicitation: {} }
    expect(await call({}, {})).toMatchObject(errorOf('INPUT_UNSUPPORTED'))
    expect(await call(asking, { action: 'decline' })).toMatchObject(errorOf('CONFIRMATION_DENIED'))
    expect(shop.rows()).toEqual([])
    const yes = { action: 'accept', content: { approve: true } }
    expect(await call(asking, yes)).toHaveProperty('result.structuredContent.database', 'shop')
    expect(shop.rows()).toEqual(['Ada'])
  })
})
