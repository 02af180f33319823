import { expect, it } from 'vitest'
import { createPerConnection } from './per-connection.ts'

it('makes one for each, and lets the oldest of more than a thousand go', () => {
  let made = 0
  const each = createPerConnection(() => {
    made += 1
    return made
  })
  expect([each.of('a'), each.of('b'), each.of('a')]).toEqual([1, 2, 1])
  for (let i = 0; i < 999; i += 1) each.of(`more-${i}`)
  expect([...each.entries()]).toHaveLength(1_000)
  expect(each.of('b')).toBe(2)
  expect(each.of('a')).toBe(1_002)
})
