import { afterEach, describe, expect, it, vi } from 'vitest'
import { createOutput } from './output.ts'

/** Clears the screen, in the two ways that terminals know. */
const hostile = 'a\u001b[2Jb\u009b2Jc'
const harmless = 'a[2Jb2Jc'

describe('what is said to people', () => {
  afterEach(() => void vi.restoreAllMocks())

  it('holds nothing that a terminal would obey, whichever upstream it came from', () => {
    const written: unknown[] = []
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(text) > 0)
    const output = createOutput(false)
    output.note(`progress 1 ${hostile}`)
    output.tell('warning', hostile)
    output.fail({ message: hostile, hint: hostile })
    expect(written).toEqual([
      `progress 1 ${harmless}\n`,
      `warning: ${harmless}\n`,
      `error: ${harmless}\nhint: ${harmless}\n`,
    ])
  })

  it.each([
    [true, 'a\\u001b[2Jb2Jc'],
    [undefined, 'a\\u001b[2Jb\u009b2Jc'],
  ])('nor do its data, where stdout is a terminal: %s', (isTerminal, expected) => {
    const written: unknown[] = []
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(text) > 0)
    const { isTTY } = process.stdout
    Object.assign(process.stdout, { isTTY: isTerminal })
    createOutput(true).json(hostile)
    Object.assign(process.stdout, { isTTY })
    expect(written).toEqual([`"${expected}"\n`])
  })
})
