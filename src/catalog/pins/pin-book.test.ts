import { describe, expect, it } from 'vitest'
import type { Pin } from '../../core/stores.ts'
import { PinBook } from './pin-book.ts'
import type { PinnedDefinition } from './pinned-definition.ts'

const quarantining = { connection: 'box', approvesAll: false, trustsFirst: false }
const approving = { ...quarantining, approvesAll: true }
const definition = (name: string, text = '{}', hash = text): PinnedDefinition => ({
  kind: 'tool',
  name,
  hash,
  text,
})
const pin = (name: string, seenAt: number, text = '{}'): Pin => ({
  ...{ connection: 'box', kind: 'tool', name, hash: text, definition: text, seenAt },
  decision: 'approved',
})
const many = (count: number, text = '{}') => Array.from({ length: count }, (_, i) => pin(`old${i}`, i, text))
const mebibyte = 1024 * 1024

describe('S13: the bounds of what is pinned', () => {
  it('20,000 pins: what vanished longest ago goes first, what is offered stays', () => {
    const book = new PinBook(many(20_000))
    const offered = [definition('old0'), definition('new1'), definition('new2')]
    const { put, remove } = book.plan(offered, approving, 1)
    expect([put.map(({ name }) => name), remove.map(({ name }) => name)]).toEqual([
      ['new1', 'new2'],
      ['old1', 'old2'],
    ])
  })

  it('64 MiB: the same', () => {
    const book = new PinBook(many(64, 'x'.repeat(mebibyte - 10)))
    const { put, remove } = book.plan([definition('new', 'x'.repeat(900_000))], approving, 1)
    expect([put.length, remove.map(({ name }) => name)]).toEqual([1, ['old0']])
  })

  it('what is offered beyond them is not pinned, and so not approved', () => {
    const book = new PinBook([])
    const offered = Array.from({ length: 20_005 }, (_, i) => definition(`t${i}`))
    const plan = book.plan(offered, { ...quarantining, trustsFirst: true }, 1)
    expect(plan.put).toHaveLength(20_000)
    book.apply(plan)
    expect(offered.filter((one) => !book.isApproved(one))).toHaveLength(5)
    expect(book.plan(offered, quarantining, 1)).toEqual({ put: [], remove: [] })
  })

  it.each([
    ['a definition of more than a megabyte', definition('a', 'x'.repeat(1_000_001), 'h')],
    ['a name of more than four kilobytes', definition('x'.repeat(4_097))],
  ])('%s is never pinned, whoever approves', (_what, large) => {
    const book = new PinBook([pin('a', 0)])
    expect(book.plan([large], approving, 1).put).toEqual([])
    expect(book.plan([large], quarantining, 1).put).toEqual([])
  })

  it('of two definitions under one name one is pinned, and the other is not approved by it', () => {
    const book = new PinBook([])
    const twins = [definition('a', '{"v":1}'), definition('a', '{"v":2}')]
    book.apply(book.plan(twins, approving, 1))
    expect(twins.map((twin) => book.isApproved(twin))).toEqual([false, true])
  })
})
