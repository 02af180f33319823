import { parseArgs } from 'node:util'
import { Client as PgClient } from 'pg'
import { runScenario } from './run-scenario.ts'
import { scenarios } from './scenarios.ts'

// `npm run chaos -- [scenario…] [--seed N] [--seconds N]`: 60 s a scenario unless told otherwise. The seed decides what
// breaks and when, not how the machine answers: a run with the same seed strikes the same blows.

const usage = `npm run chaos -- [${scenarios.map(({ name }) => name).join('|')}] [--seed N] [--seconds N]`
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})
const [seed, seconds] = [Number(values.seed), Number(values.seconds)]
const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name))
if (values.help || unknown.length > 0 || !(seed >= 0) || !(seconds > 0)) {
  console.error(unknown.length > 0 ? `There is no scenario ${unknown.join(', ')}.\n${usage}` : usage)
  process.exit(values.help ? 0 : 1)
}

const postgresUrl = await findPostgres(
  process.env['WEIR_TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test',
)
if (postgresUrl === undefined) console.error('No PostgreSQL is here: its part is left out.')
const shownMax = 20
let faults = 0
for (const scenario of scenarios) {
  if (positionals.length > 0 && !positionals.includes(scenario.name)) continue
  console.error(`${scenario.name}: ${scenario.what}; seed ${seed}, ${seconds} s`)
  const { faults: found, ...figures } = await runScenario(scenario, { seed, seconds, postgresUrl })
  console.log(JSON.stringify(figures))
  for (const fault of found.slice(0, shownMax)) console.log(`  BROKEN ${fault}`)
  if (found.length > shownMax) console.log(`  and ${found.length - shownMax} more`)
  faults += found.length
}
process.exitCode = faults === 0 ? 0 : 1

async function findPostgres(url: string): Promise<string | undefined> {
  const client = new PgClient({ connectionString: url, connectionTimeoutMillis: 2_000 })
  try {
    await client.connect()
    await client.end()
    return url
  } catch {
    return undefined
  }
}
