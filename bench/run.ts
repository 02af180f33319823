import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { cases } from './cases/index.ts'
import type { Bench, Case } from './harness/case.ts'
import { type Row, renderResults, renderTable } from './harness/report.ts'

const resultsFile = `${import.meta.dirname}/results.json`

const help = `Usage: npm run bench -- [id …] [options]

Starts every server it needs on loopback, measures each pair side by side in rounds
that take turns, prints a table and writes bench/results.json with what was measured.
Compare the ratios: the rates themselves are this machine's, now.

${cases.map(({ id, title }) => `  ${id.padEnd(5)}${title}`).join('\n')}

Options:
  --rounds N       rounds a side, of which the median counts (default 3)
  --seconds N      length of a round (default 5)
  --connections N  connections that make the load (default 32)
  --json           print the results as JSON instead of the table
  --help           print this

Exit code: 0 if everything was measured, whether or not it reached its bar; 1 if not.
`

interface Arguments {
  readonly chosen: readonly Case[]
  readonly numbers: Pick<Bench, 'rounds' | 'seconds' | 'connections'>
  readonly json: boolean
}

function parseCommandLine(): Arguments | 'help' {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '32' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const numbers = {
    rounds: parseCount('--rounds', values.rounds),
    seconds: parseCount('--seconds', values.seconds),
    connections: parseCount('--connections', values.connections),
  }
  return { chosen: chooseCases(positionals), numbers, json: values.json }
}

function parseCount(option: string, text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`${option} wants a whole number from 1, not "${text}".`)
  return count
}

function chooseCases(ids: readonly string[]): readonly Case[] {
  const wanted = new Set(ids.map((id) => id.toUpperCase()))
  for (const { id } of cases) wanted.delete(id)
  if (wanted.size > 0) {
    throw new Error(
      `There is no ${[...wanted].join(', ')}; there are ${cases.map(({ id }) => id).join(', ')}.`,
    )
  }
  return ids.length === 0 ? cases : cases.filter(({ id }) => ids.some((wish) => wish.toUpperCase() === id))
}

/** Measures every row of one case; a row that cannot be measured does not stop the others. */
async function runCase({ id, title, rows }: Case, numbers: Arguments['numbers']): Promise<Row[]> {
  process.stderr.write(`${id}: ${title}\n`)
  const progress = (text: string) => process.stderr.write(`  ${id}: ${text}\n`)
  const measured: Row[] = []
  for (const spec of rows) {
    const outcome = await spec
      .measure({ ...numbers, progress })
      .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }))
    if ('error' in outcome) progress(outcome.error)
    measured.push({ id, spec, outcome })
  }
  return measured
}

async function run({ chosen, numbers, json }: Arguments): Promise<void> {
  if (loadavg()[0]! > 1) process.stderr.write('This machine is busy with something else: expect noise.\n')
  const rows: Row[] = []
  for (const each of chosen) rows.push(...(await runCase(each, numbers)))
  const results = renderResults(rows, new Date())
  writeFileSync(resultsFile, results)
  process.stdout.write(json ? results : `${renderTable(rows)}\n`)
  if (rows.some(({ outcome }) => 'error' in outcome)) process.exitCode = 1
}

try {
  const parsed = parseCommandLine()
  if (parsed === 'help') process.stdout.write(help)
  else await run(parsed)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
