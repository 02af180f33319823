import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readExpectations } from './runner/judge.ts'
import { type Counts, count, renderRun } from './runner/render-report.ts'
import { type Revision, type Role, revisions, roles } from './runner/requirements.ts'
import { runSuite, type SuiteRun } from './runner/run-suite.ts'
import { type Subject, startFixture, startWeir, type Upstream, upstreams } from './runner/upstreams.ts'

const usage = `Runs the MCP conformance suite through Weir, with a server of the official SDK behind it, and the
suite's scenarios for clients against Weir's own connector to MCP servers.

  npm run conformance -- [options]

  --upstream http|stdio|all             how Weir reaches the fixture (all)
  --revision 2026-07-28|2025-11-25|all  which required scenarios to run (all)
  --role server|client|all              which end of the protocol is under test (all; clients at 2026-07-28)
  --direct                              test the fixture itself, over HTTP, without Weir
  --json                                one JSON document instead of tables
  --help

Ends with "N passed, N failed". Failures listed in expected-failures-{revision}.yaml count as neither;
one that is listed and passes counts as failed. The exit code is 1 when something failed.
`

type TitledRun = SuiteRun & { title: string }

const { values } = parseArgs({
  options: {
    upstream: { type: 'string', default: 'all' },
    revision: { type: 'string', default: 'all' },
    role: { type: 'string', default: 'all' },
    direct: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) process.stdout.write(usage)
else process.exitCode = await main()

async function main(): Promise<number> {
  // Exiting runs the exit handler, which ends the children.
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  const asked = pick(revisions, values.revision, '--revision')
  const ways = values.direct ? [undefined] : pick(upstreams, values.upstream, '--upstream')
  const askedRoles = values.direct ? ['server'] : pick(roles, values.role, '--role')
  const workDir = await mkdtemp(join(tmpdir(), 'weir-conformance-'))
  const runs: TitledRun[] = []
  let broken = 0
  for (const way of askedRoles.includes('server') ? ways : []) {
    try {
      runs.push(...(await runAgainst(way, asked, join(workDir, way ?? 'direct'))))
    } catch (error) {
      broken++
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
  if (askedRoles.includes('client')) runs.push(...(await runClient(asked, workDir)))
  const { passed, expected, failed } = count(runs)
  await report({ passed, expected, failed: failed + broken, runs }, workDir)
  return failed + broken === 0 ? 0 : 1
}

async function report(summary: Counts & { runs: readonly TitledRun[] }, workDir: string): Promise<void> {
  if (summary.failed === 0) await rm(workDir, { recursive: true })
  else process.stderr.write(`Results and logs are in ${workDir}\n`)
  if (values.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
  else process.stdout.write(`${summary.passed} passed, ${summary.failed} failed\n`)
}

/** Both revisions run against the same processes: what one leaves behind must not disturb the other. */
async function runAgainst(
  way: Upstream | undefined,
  asked: readonly Revision[],
  workDir: string,
): Promise<TitledRun[]> {
  await mkdir(workDir)
  const subject: Subject = way ? await startWeir(way, workDir) : await startFixture(workDir)
  const title = way ? `Weir, upstream over ${way}` : 'Fixture without Weir'
  const runs: TitledRun[] = []
  try {
    for (const revision of asked) {
      const expected = way ? await loadExpectations('server', revision) : []
      const server = { role: 'server', url: subject.url } as const
      const run = await runSuite(server, revision, expected, join(workDir, revision))
      runs.push(tell(title, run))
    }
  } finally {
    await subject.stop()
    await writeFile(join(workDir, 'servers.log'), subject.output())
  }
  return runs
}

/** Weir's connector chooses its revision by itself, and is held to the newest. */
async function runClient(asked: readonly Revision[], workDir: string): Promise<TitledRun[]> {
  const [revision] = revisions
  if (!asked.includes(revision)) return []
  const expected = await loadExpectations('client', revision)
  const run = await runSuite({ role: 'client' }, revision, expected, join(workDir, 'client'))
  return [tell('The mcp connector as a client', run)]
}

function tell(title: string, run: SuiteRun): TitledRun {
  if (!values.json) process.stdout.write(`${renderRun(title, run)}\n`)
  return { ...run, title }
}

async function loadExpectations(role: Role, revision: Revision): Promise<readonly string[]> {
  const file = new URL(`expected-failures-${revision}.yaml`, import.meta.url)
  return readExpectations(await readFile(file, 'utf8'), role)
}

function pick<T extends string>(choices: readonly T[], value: string, option: string): readonly T[] {
  if (value === 'all') return choices
  const found = choices.find((choice) => choice === value)
  if (found !== undefined) return [found]
  process.stderr.write(`${option} is "${value}"; it must be one of ${choices.join(', ')}, all\n`)
  process.exit(2)
}
