import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSample, type Sample } from './sample.ts'
import { generateShop } from './shop.ts'

let sample: Sample
let api: { baseUrl: string; auth: { bearer: string } }

beforeAll(async () => {
  sample = await createSample({ level: 'warn' })
  const { connections } = sample.config as { connections: { api: { apis: { shipping: typeof api } } } }
  api = connections.api.apis.shipping
})
afterAll(() => sample.close())

describe('the shop', () => {
  it('is the same in every run', () => {
    expect(generateShop()).toEqual(generateShop())
  })

  it('D0-022: fills both databases with the document’s tables, whole and consistent', () => {
    for (const name of ['analytics.db', 'primary.db']) {
      const database = new DatabaseSync(join(sample.dir, name), { readOnly: true })
      const count = (table: string) => database.prepare(`select count(*) as n from ${table}`).get()?.['n']
      expect(count('customers')).toBe(200)
      expect(count('orders')).toBe(1_500)
      expect(database.prepare('pragma foreign_key_check').all()).toEqual([])
      const wrongTotals = `select count(*) as n from orders where total_cents <>
        (select sum(quantity * unit_cents) from order_items where order_id = orders.id)`
      expect(database.prepare(wrongTotals).get()).toEqual({ n: 0 })
      const wrongStates = `select count(*) as n from orders where status <>
        (select status from order_history where order_id = orders.id order by timestamp desc limit 1)`
      expect(database.prepare(wrongStates).get()).toEqual({ n: 0 })
      database.close()
    }
  })
})

describe('the shipping API', () => {
  const ask = async (path: string, init: RequestInit = {}, token = api.auth.bearer) => {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${api.baseUrl}${path}`, { ...init, headers })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const post = (body: string) => ask('/shipments', { method: 'POST', body })

  it('asks for its token', async () => {
    expect((await ask('/inventory', {}, 'wrong')).status).toBe(401)
    expect((await fetch(`${api.baseUrl}/inventory`)).status).toBe(401)
  })

  it('answers for shipments and stock', async () => {
    expect(await ask('/')).toMatchObject({ status: 200 })
    expect(await ask('/inventory/SKU-1003')).toMatchObject({ status: 200, body: { sku: 'SKU-1003' } })
    expect(await ask('/shipments/1')).toMatchObject({ status: 200, body: { id: 1 } })
    const moving = await ask('/shipments?status=in_transit')
    expect(moving.body['total']).toBeGreaterThan(100)
    expect(moving.body['shipments']).toHaveLength(100)
    expect((await ask('/shipments/0')).status).toBe(404)
    expect((await ask('/constructor')).status).toBe(404)
  })

  it('takes a shipment, and says what is wrong with others', async () => {
    const made = await post('{"order_id": 3, "carrier": "cargo-bike"}')
    expect(made).toMatchObject({ status: 201, body: { order_id: 3, status: 'announced' } })
    expect(await ask(`/shipments/${made.body['id']}`)).toMatchObject({ status: 200, body: made.body })
    expect((await post('{"order_id": 0}')).status).toBe(422)
    expect((await post('{"order_id": 1, "carrier": "dragon"}')).status).toBe(422)
    expect((await post('null')).status).toBe(422)
    expect((await post('{')).status).toBe(422)
    expect((await post('x'.repeat(20_000))).status).toBe(413)
  })

  it('keeps at most 1,500 shipments', async () => {
    const { total } = (await ask('/shipments')).body as { total: number }
    const more = Array.from({ length: 1_500 - total }, () => post('{"order_id": 1}'))
    expect((await Promise.all(more)).every(({ status }) => status === 201)).toBe(true)
    expect((await post('{"order_id": 1}')).status).toBe(507)
  })
})

it('names the program of the reference server, and leaves nothing behind', async () => {
  const other = await createSample({})
  const { everything } = (other.config as { connections: Record<string, { args: string[] }> }).connections
  expect(readFileSync(everything!.args[0]!, 'utf8')).toContain('stdio')
  await other.close()
  await other.close()
  expect(existsSync(other.dir)).toBe(false)
})
