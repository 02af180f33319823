import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { BrokerKind } from './broker.ts'
import { declareOutages } from './describe-outage.fixture.ts'
import {
  codeOf,
  eventually,
  failureOf,
  type OpenQueue,
  openQueue,
  pause,
  type ReceivedMessage,
} from './open-queue.fixture.ts'
import type { Relay } from './relay.fixture.ts'

/** What the suite needs to know of a kind of broker. */
export interface BrokerCase {
  readonly kind: BrokerKind
  /** A real server. */
  readonly url: string
  /** A way to it that can be cut. */
  openRelay(): Promise<Relay>
  /** Whatever this kind's config needs beside the URL. */
  readonly config?: object
  /** What leases and delays of the tests are multiples of: 200 ms, or what the broker can tell apart. */
  readonly unitMs?: number
  /** Deletes the queues that the tests used, and what belongs to them. */
  clean(queues: readonly string[]): Promise<void>
}

/** What the chapters of the suite share. */
export interface BrokerWorld {
  readonly given: BrokerCase
  readonly unitMs: number
  /** A queue of its own for each test. */
  queueName(): string
  /** Opens a connection, which is closed after the test. */
  open(config?: object): Promise<OpenQueue>
}

/**
 * Declares the suite that every kind of broker must pass on a real server. What a kind cannot do by its capabilities must
 * be refused by name.
 */
export function describeBroker(given: BrokerCase): void {
  describe(`broker ${given.kind.title}`, () => {
    const run = randomBytes(5).toString('hex')
    const queues: string[] = []
    const opened: OpenQueue[] = []
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close()))
    })
    afterAll(() => given.clean(queues))
    const world: BrokerWorld = {
      given,
      unitMs: given.unitMs ?? 200,
      queueName() {
        const name = `weir-test-${run}-${queues.length}`
        queues.push(name)
        return name
      },
      async open(config = {}) {
        const each = await openQueue({ url: given.url, leaseMs: 30_000, ...given.config, ...config })
        opened.push(each)
        return each
      },
    }
    const chapters = [declareOrder, declareLeases, declareReturns, declareWaiting, declareOutages]
    for (const declare of chapters) declare(world)
  })
}

const numbersOf = (messages: readonly ReceivedMessage[]) => messages.map(({ payload }) => payload['n'])

/** Receives and acknowledges until `count` messages came. */
async function drain(open: OpenQueue, queue: string, count: number): Promise<ReceivedMessage[]> {
  const all: ReceivedMessage[] = []
  while (all.length < count) {
    const some = await open.receive(queue, { count: 10, timeout: 10 })
    if (some.length === 0) throw new Error(`only ${all.length} of ${count} messages came`)
    await Promise.all(some.map((message) => open.ack(queue, message)))
    all.push(...some)
  }
  return all
}

function declareOrder({ given, unitMs, queueName, open }: BrokerWorld): void {
  const { capabilities, title } = given.kind

  it('D0-073, D0-074, D0-077, D0-078: what is sent is received as it was, with a UUID and the time', async () => {
    const [main, queue] = [await open(), queueName()]
    const message = { text: 'ü “x” 💧', list: [1, null, { deep: [] }], empty: {} }
    const beforeMs = Date.now()
    const sent = await main.send(queue, message)
    expect(sent).toEqual({ success: true, message_id: expect.any(String), queue, delayed: false })
    expect(sent.message_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const received = await main.receiveOne(queue)
    expect(received).toEqual({
      id: sent.message_id,
      payload: message,
      priority: 0,
      timestamp: expect.any(Number),
      attempts: 1,
      lease: expect.any(String),
    })
    expect(received.timestamp).toBeGreaterThanOrEqual(beforeMs)
    expect(received.timestamp).toBeLessThanOrEqual(Date.now())
  })

  it('B-22: what is sent first is received first', async () => {
    const [main, queue] = [await open(), queueName()]
    for (let n = 0; n < 12; n++) await main.send(queue, { n })
    expect(numbersOf(await drain(main, queue, 12))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  if (capabilities.priorityMax > 0) {
    it('B-20: higher priorities come first, and each in its own order', async () => {
      const [main, queue] = [await open(), queueName()]
      const top = capabilities.priorityMax
      const priorities = [0, top, 1, 0, top, 1]
      for (const [n, priority] of priorities.entries()) await main.send(queue, { n }, { priority })
      const received = await drain(main, queue, 6)
      expect(numbersOf(received)).toEqual([1, 4, 2, 5, 0, 3])
      expect(received.map(({ priority }) => priority)).toEqual([top, top, 1, 1, 0, 0])
    })
  } else {
    it('B-20: a priority is refused, and the refusal names broker and feature', async () => {
      const refused = await failureOf((await open()).send(queueName(), {}, { priority: 1 }))
      expect([refused.code, refused.message]).toEqual([
        'QUEUE_UNSUPPORTED',
        `The broker "main" (${title}) has no priorities.`,
      ])
    })
  }

  if (capabilities.delayMsMax > 0) {
    it('D0-075, B-19: a delayed message comes when its time has come, and not before', async () => {
      const [main, queue] = [await open(), queueName()]
      const sentMs = performance.now()
      const sent = await main.send(queue, { n: 1 }, { delay: (unitMs * 2) / 1000 })
      expect(sent.delayed).toBe(true)
      await main.send(queue, { n: 2 })
      expect(numbersOf(await drain(main, queue, 1))).toEqual([2])
      expect(numbersOf(await drain(main, queue, 1))).toEqual([1])
      // The broker's clock may tick up to a millisecond apart from ours.
      expect(performance.now() - sentMs).toBeGreaterThan(unitMs * 2 - 2)
    })
  } else {
    it('D0-075: a delay is refused, and the refusal names broker and feature', async () => {
      const refused = await failureOf((await open()).send(queueName(), {}, { delay: 1 }))
      expect([refused.code, refused.message]).toEqual([
        'QUEUE_UNSUPPORTED',
        `The broker "main" (${title}) has no delay.`,
      ])
    })
  }
}

function declareLeases({ unitMs, queueName, open }: BrokerWorld): void {
  it('B-21: a leased message is nobody else’s; after its lease it is delivered again, as another attempt', async () => {
    const [main, queue] = [await open({ leaseMs: unitMs * 3 }), queueName()]
    await main.send(queue, { n: 1 })
    const first = await main.receiveOne(queue)
    const leasedMs = performance.now()
    const second = await main.receiveOne(queue)
    expect(performance.now() - leasedMs).toBeGreaterThan(unitMs * 2)
    expect([first.id, first.attempts, second.id, second.attempts]).toEqual([first.id, 1, first.id, 2])
    expect(second.lease).not.toBe(first.lease)
    expect(await codeOf(main.ack(queue, first))).toBe('LEASE_LOST')
    await main.ack(queue, second)
  })

  it('B-21: an acknowledged message never comes again, and can be acknowledged once', async () => {
    const [main, queue] = [await open({ leaseMs: unitMs * 2 }), queueName()]
    await main.send(queue, { n: 1 })
    const message = await main.receiveOne(queue)
    await main.ack(queue, message)
    expect(await codeOf(main.ack(queue, message))).toBe('LEASE_LOST')
    expect(await codeOf(main.nack(queue, message))).toBe('LEASE_LOST')
    expect(await main.receive(queue, { timeout: (unitMs * 4) / 1000 })).toEqual([])
  })

  it('S5: another caller’s lease answers as one that does not exist, and stays whole', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.send(queue, { n: 1 })
    const message = await main.receiveOne(queue)
    const strangers = [
      { subject: 'test:eve', tenant: 'test' },
      { subject: 'test:ada', tenant: 'other' },
      { subject: 'ada', tenant: 'test:test' },
    ]
    const unknown = await failureOf(main.ack(queue, { lease: 'A'.repeat(24) }))
    for (const caller of strangers) {
      const refused = await failureOf(main.ack(queue, message, { caller }))
      expect([refused.code, refused.message, refused.data]).toEqual([
        unknown.code,
        unknown.message,
        unknown.data,
      ])
      const input = { queue_name: queue, lease: message.lease, requeue: true }
      expect(await codeOf(main.call('queue_nack', input, { caller }))).toBe('LEASE_LOST')
    }
    expect(await codeOf(main.ack(`${queue}-other`, message))).toBe('LEASE_LOST')
    expect(await main.receive(queue, { timeout: 0 })).toEqual([])
    await main.ack(queue, message)
  })

  it('leases of a hundred messages differ, and cannot be guessed', async () => {
    const [main, queue] = [await open(), queueName()]
    await Promise.all(Array.from({ length: 100 }, (_, n) => main.send(queue, { n })))
    const leases = (await drain(main, queue, 100)).map(({ lease }) => lease)
    expect(new Set(leases).size).toBe(100)
    // 128 bits take at least 22 characters of base64.
    for (const lease of leases) expect(lease.length).toBeGreaterThanOrEqual(22)
  })
}

function declareReturns({ given, unitMs, queueName, open }: BrokerWorld): void {
  const { capabilities } = given.kind

  it('B-21: a message that is given back is delivered again at once, as another attempt', async () => {
    const [main, queue] = [await open(), queueName()]
    await main.send(queue, { n: 1 })
    const first = await main.receiveOne(queue)
    expect(await main.nack(queue, first)).toEqual({ success: true, queue, outcome: 'requeued' })
    const second = await main.receiveOne(queue)
    expect([second.id, second.attempts, second.payload]).toEqual([first.id, 2, { n: 1 }])
    expect(await codeOf(main.nack(queue, first))).toBe('LEASE_LOST')
  })

  if (capabilities.returnDelayMsMax > 0) {
    it('B-21: it is given back for later', async () => {
      const [main, queue] = [await open(), queueName()]
      await main.send(queue, { n: 1 })
      const first = await main.receiveOne(queue)
      const backMs = performance.now()
      expect((await main.nack(queue, first, { delay: (unitMs * 2) / 1000 })).outcome).toBe('delayed')
      const second = await main.receiveOne(queue)
      expect(performance.now() - backMs).toBeGreaterThan(unitMs * 2 - 2)
      expect([second.id, second.attempts]).toEqual([first.id, 2])
    })
  } else {
    it('B-21: to give it back for later is refused, and the message stays leased', async () => {
      const [main, queue] = [await open(), queueName()]
      await main.send(queue, { n: 1 })
      const message = await main.receiveOne(queue)
      expect(await codeOf(main.nack(queue, message, { delay: 1 }))).toBe('QUEUE_UNSUPPORTED')
      await main.ack(queue, message)
    })
  }

  if (!capabilities.deadLetters) return

  it('B-21: a refused message goes to the dead letters, from where it can be received', async () => {
    const [main, queue] = [await open({ deadLetter: '{queue}-dead' }), queueName()]
    const { message_id } = await main.send(queue, { n: 1 })
    const message = await main.receiveOne(queue)
    expect((await main.nack(queue, message, { requeue: false })).outcome).toBe('dead-lettered')
    expect(await main.receive(queue, { timeout: 0 })).toEqual([])
    const dead = await main.receiveOne(`${queue}-dead`)
    expect([dead.id, dead.payload]).toEqual([message_id, { n: 1 }])
    await main.ack(`${queue}-dead`, dead)
  })

  it('B-21: after attemptsMax deliveries it goes there too, given back or not', async () => {
    const config = { leaseMs: unitMs * 2, attemptsMax: 2, deadLetter: '{queue}-dead' }
    const [main, queue] = [await open(config), queueName()]
    const { message_id: given } = await main.send(queue, { n: 1 })
    await main.nack(queue, await main.receiveOne(queue))
    expect((await main.nack(queue, await main.receiveOne(queue))).outcome).toBe('dead-lettered')
    expect((await main.receiveOne(`${queue}-dead`)).id).toBe(given)
    const { message_id: forgotten } = await main.send(queue, { n: 2 })
    expect((await main.receiveOne(queue)).attempts).toBe(1)
    expect((await main.receiveOne(queue)).attempts).toBe(2)
    const dead = await eventually(async () => {
      const found = (await main.receive(`${queue}-dead`, { count: 10, timeout: 1 })).find(
        ({ id }) => id === forgotten,
      )
      if (found === undefined) throw new Error('the message has not come yet')
      return found
    })
    expect(dead.payload).toEqual({ n: 2 })
  })
}

function declareWaiting({ unitMs, queueName, open }: BrokerWorld): void {
  it('D0-078: receives what is there, and at most as many as were asked for', async () => {
    const [main, queue] = [await open(), queueName()]
    for (let n = 0; n < 5; n++) await main.send(queue, { n })
    const some = await main.receive(queue, { count: 3 })
    expect(some.length).toBeGreaterThan(0)
    expect(some.length).toBeLessThanOrEqual(3)
    await Promise.all(some.map((message) => main.ack(queue, message)))
    expect(numbersOf([...some, ...(await drain(main, queue, 5 - some.length))])).toEqual([0, 1, 2, 3, 4])
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
    const rest = await drain(main, queue, 30 - got.length)
    const all = numbersOf([...got, ...rest]).map(Number)
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n))
  })

  it('receivers share a queue, and no message comes twice', async () => {
    const [one, other, queue] = [await open(), await open(), queueName()]
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
    expect(await drain(main, queue, 1)).toHaveLength(1)
  })
}
