import { describe, expect, it } from 'vitest'
import { type Check, judge, readExpectations } from './judge.ts'

const check = (id: string, status: Check['status']): Check => ({ id, status })
const good = check('a', 'SUCCESS')
const bad = check('b', 'FAILURE')

describe('judge', () => {
  const cases: [string, readonly Check[] | undefined, readonly string[], string][] = [
    ['all checks succeed', [good], [], 'pass'],
    ['a check fails', [good, bad], [], 'fail'],
    ['a check only warns', [good, check('b', 'WARNING')], [], 'fail'],
    ['a check is skipped', [good, check('b', 'SKIPPED')], [], 'pass'],
    ['there is no result', undefined, [], 'fail'],
    ['the result has no checks', [], [], 'fail'],
    ['the scenario is expected to fail and does', [good, bad], ['s'], 'expected'],
    ['the scenario is expected to fail and passes', [good], ['s'], 'stale'],
    ['the failing check is expected to fail', [good, bad], ['s:b'], 'expected'],
    ['another check is expected to fail', [bad, check('c', 'FAILURE')], ['s:c'], 'fail'],
    ['the expected check passes', [good], ['s:a'], 'stale'],
    ['the expected check never ran', [good], ['s:z'], 'pass'],
    ['one of two occurrences of the expected check fails', [check('b', 'SUCCESS'), bad], ['s:b'], 'expected'],
    ['the expectation is about a scenario with a longer name', [good, bad], ['s-more', 's-more:b'], 'fail'],
  ]
  it.each(cases)('when %s', (_name, checks, expected, verdict) => {
    expect(judge('s', checks, expected).verdict).toBe(verdict)
  })

  it('counts information neither as passed nor as a check', () => {
    expect(judge('s', [good, check('note', 'INFO')], [])).toMatchObject({ checksPassed: 1, checksTotal: 1 })
  })
})

describe('readExpectations', () => {
  it('reads names and an empty list', () => {
    expect(readExpectations('server:\n  - a # why\n  - b:c\nclient: [d]\n', 'server')).toEqual(['a', 'b:c'])
    expect(readExpectations('# nothing\n', 'client')).toEqual([])
  })

  it('refuses an entry that YAML reads as a mapping', () => {
    expect(() => readExpectations('server:\n  - a: b\n', 'server')).toThrow('list of names')
  })
})
