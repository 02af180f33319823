import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { useRedis } from './redis-world.fixture.ts'

/** Everything that workers said, in order. */
type Said = { readonly word: string; readonly id: string }[]

/** Each worker is a process of its own, which takes a while to start on a busy machine. */
const patienceMs = 120_000

describeWith('redis', 'a Weir that is killed', (url) => {
  const { client, name, open } = useRedis(url)

  /** Runs a worker until it has said `lines` lines more, and kills it without warning. */
  async function runAndKill(
    queue: string,
    work: 'send' | 'receive',
    lines: number,
    said: Said,
  ): Promise<void> {
    const file = join(import.meta.dirname, 'worker.fixture.ts')
    const child: ChildProcess = spawn(process.execPath, [file, url, queue, work], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    let heard = 0
    for await (const line of createInterface({ input: child.stdout! })) {
      const [word = '', id = ''] = line.split(' ')
      said.push({ word, id })
      heard += 1
      if (heard === lines) child.kill('SIGKILL')
    }
    const [, signal] = await exited
    expect(signal).toBe('SIGKILL')
  }

  const idsOf = (said: Said, word: string) => said.filter((line) => line.word === word).map(({ id }) => id)

  it(
    'B-21: consumers killed at any moment lose no message, and repeat none that was acknowledged',
    async () => {
      const [main, queue, count] = [await open(), name(), 150]
      for (let n = 0; n < count; n++) await main.send(queue, { n }, { priority: n % 2 })
      const said: Said = []
      // An odd number of lines ends now between `got` and `acking`, now in the middle of an acknowledgement.
      for (const lines of [1, 8, 23, 30, 41]) await runAndKill(queue, 'receive', lines, said)
      const acked = new Set(idsOf(said, 'acked'))
      expect(acked.size).toBeGreaterThan(10)
      const left = new Map<string, number>()
      for (;;) {
        // Longer than the leases of those who were killed.
        const messages = await main.receive(queue, { count: 100, timeout: 2 })
        if (messages.length === 0) break
        for (const message of messages) {
          left.set(String(message.payload['n']), message.attempts)
          await main.ack(queue, message)
        }
      }
      const acking = new Set(idsOf(said, 'acking'))
      for (const id of acked) expect(left.has(id), `${id} came again after it was acknowledged`).toBe(false)
      for (let n = 0; n < count; n++) {
        const id = String(n)
        // An acknowledgement that Redis had carried out before its answer was heard is one.
        expect(acked.has(id) || left.has(id) || acking.has(id), `${id} is lost`).toBe(true)
      }
      const unsure = [...acking].filter((id) => !acked.has(id) && !left.has(id))
      expect(unsure.length).toBeLessThanOrEqual(5)
      const once = [...left].filter(([id, attempts]) => attempts > 1 && !idsOf(said, 'got').includes(id))
      // What was leased in the same step as a message that was seen, or whose answer was cut off, counts as delivered.
      expect(once.length).toBeLessThanOrEqual(3 * 5)
      expect(await client.keys(`${queue}*`)).toEqual([])
    },
    patienceMs,
  )

  it(
    'B-19, B-21: a sender killed at any moment has sent what it was told it had, once',
    async () => {
      const [main, queue] = [await open(), name()]
      const said: Said = []
      for (const lines of [7, 40, 101]) await runAndKill(queue, 'send', lines, said)
      const received: string[] = []
      for (;;) {
        const messages = await main.receive(queue, { count: 100, timeout: 1 })
        if (messages.length === 0) break
        for (const message of messages) {
          received.push(String(message.payload['n']))
          await main.ack(queue, message)
        }
      }
      const sent = idsOf(said, 'sent')
      expect(sent.length).toBeGreaterThanOrEqual(148)
      expect(new Set(received).size).toBe(received.length)
      expect(sent.filter((id) => !received.includes(id))).toEqual([])
      // At most the one message of each sender whose confirmation was not heard.
      expect(received.length - sent.length).toBeLessThanOrEqual(3)
    },
    patienceMs,
  )
})
