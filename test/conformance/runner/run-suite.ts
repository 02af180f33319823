import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { startChild } from './child.ts'
import { type Check, judge, type ScenarioResult } from './judge.ts'
import { listRequiredScenarios, type Revision, suiteEntry } from './requirements.ts'

export interface SuiteRun {
  readonly revision: Revision
  readonly results: readonly ScenarioResult[]
  /** What is wrong with the run as a whole, a sentence each; it fails the run. */
  readonly complaints: readonly string[]
  readonly durationMs: number
}

/** All scenarios of a revision take under 5 s against a healthy server; four runs must stay under 2 minutes. */
const suiteMs = 25_000
const scenarioMs = 8_000

/**
 * Runs all required scenarios of a revision against a server. `outputDir` gets a folder for each
 * scenario with its checks, and what the suite printed.
 */
export async function runSuite(
  url: string,
  revision: Revision,
  expected: readonly string[],
  outputDir: string,
): Promise<SuiteRun> {
  await mkdir(outputDir, { recursive: true })
  const started = performance.now()
  const exitCode = await spawnSuite(url, revision, expected, outputDir)
  const { scored, all } = listRequiredScenarios(revision)
  const results = all.map((scenario) => judge(scenario, readChecks(outputDir, scenario), expected))
  const complaints = expected
    .filter((entry) => !all.includes(entry.split(':')[0] ?? ''))
    .map((entry) => `No scenario of this revision is named ${entry}: remove the expectation`)
  // Two judges of the same checks: an error of this runner must not look like a pass.
  const clean = results.every(({ scenario, verdict }) => !scored.includes(scenario) || isFine(verdict))
  if (clean !== (exitCode === 0))
    complaints.push(`The suite ended with exit code ${exitCode}, against these results`)
  return { revision, results, complaints, durationMs: Math.round(performance.now() - started) }
}

const isFine = (verdict: string) => verdict === 'pass' || verdict === 'expected'

async function spawnSuite(
  url: string,
  revision: Revision,
  expected: readonly string[],
  outputDir: string,
): Promise<number> {
  const expectations = join(outputDir, 'expected-failures.yaml')
  await writeFile(expectations, stringify({ server: expected }))
  const suite = startChild(
    [
      ...[suiteEntry, 'server', '--url', url, '--requirements', revision, '--output-dir', outputDir],
      ...['--expected-failures', expectations, '--timeout', String(scenarioMs)],
    ],
    outputDir,
  )
  const timer = setTimeout(() => void suite.stop(), suiteMs)
  const exitCode = await suite.exited
  clearTimeout(timer)
  await writeFile(join(outputDir, 'suite.log'), suite.output())
  return exitCode
}

/** The suite names the folder of a scenario `server-{scenario}-{ISO time, with dashes}`. */
function readChecks(outputDir: string, scenario: string): Check[] | undefined {
  const prefix = `server-${scenario}-`
  const folder = readdirSync(outputDir).find(
    (name) => name.startsWith(prefix) && /^\d{4}-\d\d-\d\dT[\d-]+Z$/.test(name.slice(prefix.length)),
  )
  const file = folder && join(outputDir, folder, 'checks.json')
  return file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}
