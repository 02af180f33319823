import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nameTool } from './name-tool.ts'

describe('the MCP name of a tool', () => {
  // Pinned: permissions, prompts and people's memories hold these names.
  it.each([
    ['database', 'execute_query', 'database__execute_query'],
    ['a', '_b', 'a___b'],
    ['files', 'read-file', 'files__read-file'],
    ['everything', 'a'.repeat(28), `everything__${'a'.repeat(28)}`],
    ['everything', 'a'.repeat(29), 'everything__aaaaaaaaaaaaaaaaaaa_bc4f2167'],
    ['files', 'read file', 'files__read_file_bbd14d49'],
    ['files', 'read.file', 'files__read_file_c214cb95'],
    ['files', 'lire_été', 'files__lire__t__0b52bcf5'],
    ['x'.repeat(64), 'run', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_276dfa5d'],
  ])('of %s and %s is %s, for ever', (connection, tool, name) => {
    expect(nameTool(connection, tool)).toBe(name)
  })

  const connection = fc.stringMatching(/^[a-z0-9-]{1,64}$/)
  const tool = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  )

  it('has at most 40 characters, all of them A-Z, a-z, 0-9, _ and -', () => {
    fc.assert(fc.property(connection, tool, (a, b) => /^[A-Za-z0-9_-]{1,40}$/.test(nameTool(a, b))))
  })

  it('is the plain one wherever that is allowed', () => {
    const short = fc.stringMatching(/^[a-z_]{1,15}$/)
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9-]{1,20}$/), short, (a, b) => nameTool(a, b) === `${a}__${b}`),
    )
  })

  it('is that of no other tool, over 10,000', () => {
    const pairs = fc.sample(fc.tuple(connection, tool), { numRuns: 10_000, seed: 7 })
    const tools = new Set(pairs.map(([a, b]) => `${a}:${b}`))
    expect(new Set(pairs.map(([a, b]) => nameTool(a, b))).size).toBe(tools.size)
  })

  it('is that of no other tool where only the end, past the cut, tells them apart', () => {
    const names = Array.from({ length: 10_000 }, (_, i) =>
      nameTool('connection', `${'same_long_name_'.repeat(4)}${i}`),
    )
    expect(new Set(names).size).toBe(10_000)
  })
})
