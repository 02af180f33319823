import { expect, it } from 'vitest'
import { Uncounted } from './uncounted.ts'

it('NATS deliveries that were none to anybody are counted for ten thousand messages, the newest', () => {
  const uncounted = new Uncounted()
  uncounted.add('orders', 1)
  uncounted.add('orders', 1)
  expect(uncounted.of('orders', 1)).toBe(2)
  for (let sequence = 2; sequence <= 10_000; sequence++) uncounted.add('orders', sequence)
  expect([uncounted.of('orders', 1), uncounted.of('others', 2)]).toEqual([2, 0])
  uncounted.add('orders', 10_001)
  expect([uncounted.of('orders', 1), uncounted.of('orders', 2)]).toEqual([0, 1])
  uncounted.forget('orders', 2)
  expect(uncounted.of('orders', 2)).toBe(0)
})
