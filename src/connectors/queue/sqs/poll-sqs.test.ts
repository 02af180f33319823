import type { Message } from '@aws-sdk/client-sqs'
import { expect, it } from 'vitest'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { pollSqs } from './poll-sqs.ts'

const batch = (from: number): Message[] =>
  Array.from({ length: 10 }, (_, index) => ({ MessageId: String(from + index), Body: '{}' }))

it('B-21: a receiver that leaves between two batches gives back those of every batch it took', async () => {
  const left = new Error('The caller left.')
  const answers = [batch(0), batch(10)]
  const back: (string | undefined)[] = []
  const poll = async () => {
    const next = answers.shift()
    if (next === undefined) throw left
    return next
  }
  const bounds = {
    ...{ count: 100, bytesMax: 1e6, untilMs: 0, clock: createFakeClock() },
    stop: new AbortController().signal,
  }
  const giveBack = (messages: readonly Message[]) => void back.push(...messages.map((each) => each.MessageId))
  await expect(pollSqs(poll, giveBack, bounds)).rejects.toBe(left)
  expect(back).toHaveLength(20)
})
