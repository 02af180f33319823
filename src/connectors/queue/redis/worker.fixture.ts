import { setTimeout as pause } from 'node:timers/promises'
import { openQueue } from '../open-queue.fixture.ts'

// A Weir that is killed: `worker.fixture.ts URL QUEUE send|receive`. It prints a line after each step that the broker
// has confirmed, and one before each acknowledgement.

const [url = '', queue = '', work] = process.argv.slice(2)
const main = await openQueue({ url, leaseMs: 700, attemptsMax: 1000 })
// Waits until the pipe has the line: one that is still in this process when it is killed was never said.
const say = (word: string, id: unknown) =>
  new Promise<void>((resolve) => process.stdout.write(`${word} ${id}\n`, () => resolve()))

/** In twos and threes, so that a kill finds some of each. */
async function receive(): Promise<void> {
  const messages = await main.receive(queue, { count: 3, timeout: 1 })
  for (const message of messages) {
    await say('got', message.payload['n'])
    await pause(1)
    await say('acking', message.payload['n'])
    await main.ack(queue, message).then(
      () => say('acked', message.payload['n']),
      // Where the machine was busy for longer than the lease, somebody else has the message now.
      () => say('lost', message.payload['n']),
    )
  }
}

for (let n = 0; ; n++) {
  if (work === 'receive') {
    await receive()
    continue
  }
  const id = `${process.pid}-${n}`
  await main.send(queue, { n: id }, n % 3 === 0 ? { delay: 0.05 } : { priority: n % 2 })
  await say('sent', id)
}
