import { expect, it } from 'vitest'
import type { BrokerWorld } from './describe-broker.fixture.ts'
import { failureOf, numbersOf, type OpenQueue, pause, type ReceivedMessage } from './open-queue.fixture.ts'

/** The chapter on receivers that wait. */
export function declareWaiting({ unitMs, queueName, open }: BrokerWorld): void {
  it('D0-078: receives what is there, and at most as many as were asked for', async () => {
    const [main, queue] = [await open(), queueName()]
    for (let n = 0; n < 5; n++) await main.send(queue, { n })
    const some = await main.receive(queue, { count: 3 })
    expect(some.length).toBeGreaterThan(0)
    expect(some.length).toBeLessThanOrEqual(3)
    await Promise.all(some.map((message) => main.ack(queue, message)))
    expect(numbersOf([...some, ...(await main.drain(queue, 5 - some.length))])).toEqual([0, 1, 2, 3, 4])
  })

  it('B-21: one deadline for all that is asked for, and an empty answer at its end', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.receive(queue, { timeout: 0 })
    const startMs = performance.now()
    const input = { queue_name: queue, count: 10, timeout: 0.5 }
    expect(await main.call('queue_receive', input)).toEqual({
      messages: [],
      count: 0,
      queue,
      lease_seconds: 30,
    })
    const tookMs = performance.now() - startMs
    expect(tookMs).toBeGreaterThan(490)
    // Ten times the timeout is what the documents' own program would have taken.
    expect(tookMs).toBeLessThan(4000)
  })

  it('the deadline of the call as a whole ends the wait with an answer too', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.receive(queue, { timeout: 0 })
    const deadlineMs = performance.now() + 1000
    expect(await main.receive(queue, { timeout: 60 }, { deadlineMs })).toEqual([])
    expect(performance.now()).toBeLessThan(deadlineMs + 2000)
  })

  it('a receiver that waits gets what is sent meanwhile', async () => {
    const [main, other, queue] = [await open(), await open(), queueName()]
    const waiting = main.receiveOne(queue)
    await pause(unitMs)
    await other.send(queue, { n: 1 })
    expect((await waiting).payload).toEqual({ n: 1 })
  })
}

/** The chapter on receivers that leave, and on those who share a queue. */
export function declareSharing({ given, queueName, open }: BrokerWorld): void {
  it('a receiver that leaves loses nothing', async () => {
    const [main, queue] = [await open(), queueName()]
    const reason = new Error('left')
    const got: ReceivedMessage[] = []
    for (let n = 0; n < 30; n++) {
      const leaving = new AbortController()
      const waiting = main.receive(queue, { timeout: 10 }, { signal: leaving.signal })
      const sending = main.send(queue, { n })
      // Now before the message is there, now while it is on its way, now after it came.
      if (n % 3 === 0) leaving.abort(reason)
      else if (n % 3 === 1) setImmediate(() => leaving.abort(reason))
      else setTimeout(() => leaving.abort(reason), 3)
      await waiting.then(
        (messages) => got.push(...messages),
        (thrown) => expect(thrown).toBe(reason),
      )
      await sending
    }
    await Promise.all(got.map((message) => main.ack(queue, message)))
    const rest = await main.drain(queue, 30 - got.length)
    const all = numbersOf([...got, ...rest]).map(Number)
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n))
  })

  it('receivers share a queue, and no message comes twice', async () => {
    const [one, queue] = [await open(), queueName()]
    const other = given.isOneMember ? one : await open()
    const count = 60
    const seen: unknown[] = []
    const work = async (main: OpenQueue) => {
      while (seen.length < count) {
        const messages = await main.receive(queue, { count: 5, timeout: 0.5 })
        seen.push(...numbersOf(messages))
        await Promise.all(messages.map((message) => main.ack(queue, message)))
      }
    }
    const working = Promise.all([work(one), work(other), work(one)])
    await Promise.all(Array.from({ length: count }, (_, n) => one.send(queue, { n })))
    await working
    expect(seen.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n))
  })

  it('a message larger than messageBytesMax is refused, and not sent', async () => {
    const [main, queue] = [await open({ messageBytesMax: 1000 }), queueName()]
    const refused = await failureOf(main.send(queue, { text: 'x'.repeat(1000) }))
    expect([refused.code, refused.data?.['bytesMax']]).toEqual(['MESSAGE_TOO_LARGE', 1000])
    await main.send(queue, { text: 'x'.repeat(500) })
    expect(await main.drain(queue, 1)).toHaveLength(1)
  })
}
