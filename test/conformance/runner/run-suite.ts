import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { startChild } from './child.ts'
import { type Check, judge, type ScenarioResult } from './judge.ts'
import { listRequiredScenarios, type Revision, type Role, suiteEntry } from './requirements.ts'

export interface SuiteRun {
  readonly revision: Revision
  readonly results: readonly ScenarioResult[]
  /** What is wrong with the run as a whole, a sentence each; it fails the run. */
  readonly complaints: readonly string[]
  readonly durationMs: number
}

/** What the suite is let loose on: a server by its URL, or a client by the arguments that start it. */
export type Subject = { readonly role: 'server'; readonly url: string } | { readonly role: 'client' }

/** Each role's scenarios take under 20 s against a healthy subject; a client is started once a scenario. */
const suiteMs: Record<Role, number> = { server: 25_000, client: 90_000 }
const scenarioMs: Record<Role, number> = { server: 8_000, client: 30_000 }
const clientEntry = fileURLToPath(new URL('../client.ts', import.meta.url))

/**
 * Runs all required scenarios of a revision against a subject. `outputDir` gets a folder for each
 * scenario with its checks, and what the suite printed.
 */
export async function runSuite(
  subject: Subject,
  revision: Revision,
  expected: readonly string[],
  outputDir: string,
): Promise<SuiteRun> {
  await mkdir(outputDir, { recursive: true })
  const started = performance.now()
  const exitCode = await spawnSuite(subject, revision, expected, outputDir)
  const { role } = subject
  const { scored, all } = listRequiredScenarios(role, revision)
  const results = all.map((scenario) => judge(scenario, readChecks(outputDir, role, scenario), expected))
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
  subject: Subject,
  revision: Revision,
  expected: readonly string[],
  outputDir: string,
): Promise<number> {
  const { role } = subject
  const expectations = join(outputDir, 'expected-failures.yaml')
  await writeFile(expectations, stringify({ [role]: expected }))
  const suite = startChild(
    [
      ...[suiteEntry, role, ...renderSubject(subject), '--requirements', revision, '--output-dir', outputDir],
      ...['--expected-failures', expectations, '--timeout', String(scenarioMs[role])],
    ],
    outputDir,
  )
  const timer = setTimeout(() => void suite.stop(), suiteMs[role])
  const exitCode = await suite.exited
  clearTimeout(timer)
  await writeFile(join(outputDir, 'suite.log'), suite.output())
  return exitCode
}

function renderSubject(subject: Subject): readonly string[] {
  if (subject.role === 'server') return ['--url', subject.url]
  return ['--command', `"${process.execPath}" "${clientEntry}"`]
}

/** The suite names the folder of a scenario `[server-]{scenario}-{ISO time, with dashes}`; a scenario's name may hold a folder. */
function readChecks(outputDir: string, role: Role, scenario: string): Check[] | undefined {
  const path = join(outputDir, role === 'server' ? `server-${scenario}` : scenario)
  const prefix = `${basename(path)}-`
  const parent = dirname(path)
  if (!existsSync(parent)) return undefined
  const folder = readdirSync(parent).find(
    (name) => name.startsWith(prefix) && /^\d{4}-\d\d-\d\dT[\d-]+Z$/.test(name.slice(prefix.length)),
  )
  const file = folder && join(parent, folder, 'checks.json')
  return file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}
