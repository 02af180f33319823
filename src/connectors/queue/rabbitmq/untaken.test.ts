import type { Message } from 'amqplib'
import { expect, it } from 'vitest'
import { Untaken } from './untaken.ts'

const message = (messageId?: string) => ({ properties: { messageId } }) as Message

it('RabbitMQ messages that went back undelivered are known, ten thousand of them, and only with an id', () => {
  const untaken = new Untaken()
  untaken.add('orders', message())
  expect(untaken.delete('orders', message())).toBe(false)
  for (let n = 0; n <= 10_000; n++) untaken.add('orders', message(String(n)))
  expect(untaken.delete('orders', message('0'))).toBe(false)
  expect(untaken.delete('others', message('1'))).toBe(false)
  expect(untaken.delete('orders', message('1'))).toBe(true)
  expect(untaken.delete('orders', message('1'))).toBe(false)
})
