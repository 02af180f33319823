import { expect, it } from 'vitest'
import { spillRows } from './spill-rows.ts'

function* rowsOf(count: number): Generator<string, undefined> {
  for (let n = 0; n < count; n++) yield JSON.stringify({ n, text: 'a line\nand another' })
  return undefined
}

function readAll(rows: Iterator<string>): readonly unknown[] {
  const all: unknown[] = []
  for (let row = rows.next(); row.done !== true; row = rows.next()) all.push(JSON.parse(row.value))
  return all
}

it('gives every row back, in order, however many', () => {
  for (const count of [0, 1, 5000]) {
    const all = readAll(spillRows(rowsOf(count)))
    expect(all).toEqual(Array.from({ length: count }, (_, n) => ({ n, text: 'a line\nand another' })))
  }
})

it('takes no more than its bound, and ends the statement there', () => {
  let isOpen = true
  const watched = (function* () {
    try {
      yield* rowsOf(1000)
    } finally {
      isOpen = false
    }
  })()
  expect(() => spillRows(watched, 10_000)).toThrow(
    expect.objectContaining({ code: 'SQL_ERROR', message: expect.stringContaining('10000 bytes') }),
  )
  expect(isOpen).toBe(false)
})

it('may be given up at any time, twice too', () => {
  const rows = spillRows(rowsOf(5000))
  rows.next()
  expect(rows.return!()).toMatchObject({ done: true })
  expect(rows.return!()).toMatchObject({ done: true })
})
