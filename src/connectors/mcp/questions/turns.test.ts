import { expect, it } from 'vitest'
import { Cancellation } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { failure } from '../fixtures/upstream.fixture.ts'
import { Turns } from './turns.ts'

const stop = new Cancellation()
const always = () => true

function takingTurns(...running: readonly string[]): Turns<string> {
  const turns = new Turns<string>()
  for (const one of running) turns.enter(() => one, always)
  expect(turns.takeInTurn()).toBe(true)
  expect(turns.takeInTurn()).toBe(false)
  return turns
}

it('any number may begin until they are told to take turns', () => {
  const turns = new Turns<string>()
  expect(turns.enter(() => 'a', always)).toBe('a')
  expect(turns.enter(() => 'b', always)).toBe('b')
  turns.takeInTurn()
  expect(turns.enter(() => 'c', always)).toBeUndefined()
})

it('they begin one after another, in the order in which they came', async () => {
  const turns = takingTurns('a', 'b')
  const begun: string[] = []
  const waiting = ['c', 'd'].map((name) =>
    turns.wait(() => name, always, stop).then((one) => begun.push(one)),
  )
  turns.leave('a')
  turns.leave('b')
  expect([...turns.running]).toEqual(['c'])
  expect(turns.enter(() => 'e', always)).toBeUndefined()
  turns.leave('c')
  await Promise.all(waiting)
  expect([begun, [...turns.running]]).toEqual([['c', 'd'], ['d']])
})

it('one without a rival begins before one that has to wait', async () => {
  const turns = takingTurns('a')
  const later = turns.wait(() => 'b', always, stop)
  expect(
    await turns.wait(
      () => 'c',
      (other) => other !== 'a',
      stop,
    ),
  ).toBe('c')
  turns.leave('a')
  turns.leave('c')
  expect(await later).toBe('b')
})

it('R12: who stops waiting is passed over', async () => {
  const turns = takingTurns('a')
  const leaving = new Cancellation()
  const left = failure(turns.wait(() => 'b', always, leaving))
  const next = turns.wait(() => 'c', always, stop)
  leaving.cancel(new WeirError('DEADLINE_EXCEEDED', 'over'))
  expect((await left).code).toBe('DEADLINE_EXCEEDED')
  turns.leave('a')
  expect(await next).toBe('c')
  expect((await failure(turns.wait(() => 'd', always, leaving))).code).toBe('DEADLINE_EXCEEDED')
})

it('256 wait at most', async () => {
  const turns = takingTurns('a')
  for (let count = 0; count < 256; count += 1) void turns.wait(() => `w${count}`, always, stop)
  const error = await failure(turns.wait(() => 'x', always, stop))
  expect([error.code, error.data]).toEqual(['OVERLOADED', { sent: false }])
})
