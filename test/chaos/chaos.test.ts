import { describe, expect, inject, it } from 'vitest'
import { runScenario } from './run-scenario.ts'
import { scenarios } from './scenarios.ts'

const isLong = process.env['WEIR_TEST_LONG'] === '1'
const seconds = isLong ? 60 : 2
const seed = Number(process.env['WEIR_TEST_SEED'] ?? 20_261_121)

// The short form of `npm run chaos`, with a seed of its own.
describe('whatever breaks', () => {
  it.each(
    scenarios,
  )('calls are answered in time and by their own answer, and nothing acknowledged is lost: $name', {
    timeout: (seconds + 60) * 1_000,
  }, async (scenario) => {
    const report = await runScenario(scenario, { seed, seconds, postgresUrl: inject('services').postgres })
    expect(report.faults, JSON.stringify(report)).toEqual([])
    expect(report.answered).toBeGreaterThan(50)
  })
})
