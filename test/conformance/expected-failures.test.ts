import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readExpectations } from './runner/judge.ts'
import { listRequiredScenarios, neverExpected, revisions, roles } from './runner/requirements.ts'

describe.each(revisions)('expected failures of %s', (revision) => {
  const text = readFileSync(new URL(`expected-failures-${revision}.yaml`, import.meta.url), 'utf8')
  const ofRole = roles.map((role) => ({ role, names: readExpectations(text, role) }))
  const entries = ofRole.flatMap(({ names }) => names)

  it('name required scenarios only, each once', () => {
    for (const { role, names } of ofRole) {
      const { all } = listRequiredScenarios(role, revision)
      for (const entry of names) expect(all).toContain(entry.split(':')[0])
    }
    expect(new Set(entries).size).toBe(entries.length)
  })

  it('never name what tools need', () => {
    for (const entry of entries) expect(neverExpected).not.toContain(entry.split(':')[0])
  })

  it('give a reason on every line', () => {
    const lines = text.split('\n').filter((line) => line.trimStart().startsWith('- '))
    expect(lines.length).toBe(entries.length)
    for (const line of lines) expect(line).toMatch(/ # \S+ \S+/)
  })
})
