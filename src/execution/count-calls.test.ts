import { expect, it } from 'vitest'
import { createCall, createEntry } from './call.fixture.ts'
import { countCalls } from './count-calls.ts'

it('counts calls from their arrival to their outcome, whatever that is', async () => {
  const ends: (() => void)[] = []
  const counted = countCalls({
    execute: () =>
      new Promise((resolve) => {
        ends.push(() => resolve({ kind: 'complete', result: {} }))
      }),
  })
  const outcomes = [1, 2].map(() => counted.execute(createCall(createEntry())))
  expect(counted.inFlight).toBe(2)
  ends[0]!()
  await outcomes[0]
  expect(counted.inFlight).toBe(1)
  ends[1]!()
  expect(await outcomes[1]).toEqual({ kind: 'complete', result: {} })
  expect(counted.inFlight).toBe(0)
})
