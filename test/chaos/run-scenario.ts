import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { Client as PgClient } from 'pg'
import { openRelay } from '../../src/connectors/queue/relay.fixture.ts'
import { type Answer, Gateway } from './gateway.ts'
import { Ledger } from './ledger.ts'
import { startMoodyApi } from './moody-api.ts'
import type { Scenario, World } from './scenarios.ts'

/** How a run went. `faults` is empty where every invariant held. */
export interface Report {
  readonly scenario: string
  readonly seed: number
  readonly calls: number
  readonly answered: number
  /** By error code. */
  readonly failures: Readonly<Record<string, number>>
  readonly slowestMs: number
  readonly healedMs: number
  readonly rssMb: number
  readonly faults: readonly string[]
}

/** What a run is made of. */
export interface RunOptions {
  readonly seed: number
  readonly seconds: number
  /** Of a PostgreSQL whose user may make tables; its part is left out without it. */
  readonly postgresUrl: string | undefined
}

const clientsOfEach = 3
const timeoutMs = 3_000
/** From the deadline of a call to its answer, on a machine that does much else. */
const graceMs = 2_000
const healMaxMs = 20_000
const rssMaxMb = 400
const stdioServer = new URL('../../src/connectors/mcp/fixtures/raw-stdio.fixture.ts', import.meta.url)
  .pathname

/** Runs one scenario against a real Weir, and says which of the invariants broke. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Report> {
  const random = mulberry(options.seed)
  const api = await startMoodyApi()
  const table = `weir_chaos_${randomBytes(5).toString('hex')}`
  const { postgresUrl } = options
  const database = postgresUrl === undefined ? undefined : await openRelay(postgresUrl, 5432)
  await using gateway = new Gateway((version) => configure(version, api.url, database?.url))
  const sqlitePath = join(gateway.place.dir, 'ledger.db')
  new DatabaseSync(sqlitePath).exec('create table ledger (id text)')
  await onPostgres(postgresUrl, `create table ${table} (id text)`)
  try {
    await gateway.start()
    const run = new Run({ scenario, gateway, table, hasPostgres: database !== undefined, seed: options.seed })
    const serverPid = async () => {
      const { data } = await gateway.call('server:who', {}, timeoutMs + graceMs)
      return (data as { pid?: number } | undefined)?.pid
    }
    await run.heal()
    const world: World = { gateway, api, database, random, serverPid, pause: (ms) => pause(ms) }
    const load = run.begin()
    const endMs = performance.now() + options.seconds * 1_000
    while (performance.now() < endMs) await scenario.strike(world)
    await scenario.mend(world)
    run.end()
    await load
    const healedMs = await run.heal()
    const measured = gateway.measure()
    if (measured.rssMb > rssMaxMb) run.faults.push(`memory: ${Math.round(measured.rssMb)} MB`)
    const code = await gateway.stop()
    if (code !== 0) run.faults.push(`stop: Weir ended with ${code}`)
    const rows = new DatabaseSync(sqlitePath, { readOnly: true }).prepare('select id from ledger').all()
    run.faults.push(
      ...run.ledgers.sqlite.audit(
        'sqlite',
        rows.map(({ id }) => String(id)),
      ),
    )
    const written = await onPostgres(postgresUrl, `select id from ${table}`)
    run.faults.push(
      ...run.ledgers.postgres.audit(
        'postgres',
        written.map(({ id }) => String(id)),
      ),
    )
    return { ...run.report(), healedMs, rssMb: Math.round(measured.rssMb) }
  } finally {
    await database?.close()
    api.close()
    await onPostgres(postgresUrl, `drop table ${table}`)
  }
}

function configure(version: number, baseUrl: string, postgresUrl: string | undefined): object {
  const postgres = { url: postgresUrl, write: true, allowAdminRole: true, statementTimeoutMs: 2_000 }
  return {
    log: { level: 'error' },
    policies: {
      '*': {
        timeout: `${timeoutMs}ms`,
        retry: { delay: '50ms', maxDelay: '500ms' },
        breaker: { failures: 5, recovery: '500ms' },
      },
    },
    connections: {
      api: {
        type: 'http',
        apis: { moody: { baseUrl, allowPrivate: true, headers: { 'x-version': `${version}` } } },
      },
      server: { type: 'mcp', command: process.execPath, args: [stdioServer] },
      sql: {
        type: 'sql',
        databases: {
          lite: { url: 'sqlite:./ledger.db', write: true },
          ...(postgresUrl === undefined ? {} : { pg: postgres }),
        },
      },
    },
  }
}

async function onPostgres(url: string | undefined, statement: string): Promise<readonly { id?: unknown }[]> {
  if (url === undefined) return []
  const client = new PgClient(url)
  await client.connect()
  return (await client.query(statement).finally(() => client.end())).rows
}

interface RunParts {
  readonly scenario: Scenario
  readonly gateway: Gateway
  readonly table: string
  readonly hasPostgres: boolean
  readonly seed: number
}

/** What the clients did, and what they were told. */
class Run {
  readonly #parts: RunParts
  readonly faults: string[] = []
  readonly ledgers = { sqlite: new Ledger(), postgres: new Ledger() }
  readonly #failures = new Map<string, number>()
  #calls = 0
  #answered = 0
  #slowestMs = 0
  #isOver = false

  constructor(parts: RunParts) {
    this.#parts = parts
  }

  /** Every kind of call again and again, by several clients each; resolves when the last has been answered. */
  async begin(): Promise<void> {
    await Promise.all(
      this.#kinds().flatMap((work) =>
        Array.from({ length: clientsOfEach }, async () => {
          while (!this.#isOver) {
            const { ms, code } = await work()
            // A client whose call fails at once would do nothing but ask.
            if (code !== undefined && ms < 20) await pause(20)
          }
        }),
      ),
    )
  }

  end(): void {
    this.#isOver = true
  }

  /** Until every kind of call succeeds; resolves with how long that took. */
  async heal(): Promise<number> {
    const startMs = performance.now()
    for (const work of this.#kinds()) {
      let answer = await work()
      while (answer.code !== undefined && performance.now() - startMs < healMaxMs) {
        await pause(100)
        answer = await work()
      }
      if (answer.code !== undefined) this.faults.push(`heal: a call still fails with ${answer.code}`)
    }
    return Math.round(performance.now() - startMs)
  }

  report(): Omit<Report, 'healedMs' | 'rssMb'> {
    return {
      scenario: this.#parts.scenario.name,
      seed: this.#parts.seed,
      calls: this.#calls,
      answered: this.#answered,
      failures: Object.fromEntries([...this.#failures].toSorted()),
      slowestMs: Math.round(this.#slowestMs),
      faults: this.faults,
    }
  }

  #kinds(): readonly (() => Promise<Answer>)[] {
    const { hasPostgres, table } = this.#parts
    const query = 'select cast($1 as text) as nonce'
    return [
      () =>
        this.#echo('api:http_request', (nonce) => ({
          api_name: 'moody',
          method: 'GET',
          url: `/echo?nonce=${nonce}`,
        })),
      () => this.#echo('server:echo', (nonce) => ({ nonce })),
      () => this.#write('sqlite', 'lite', 'ledger'),
      ...(hasPostgres
        ? [
            () =>
              this.#echo('sql:execute_query', (nonce) => ({ query, parameters: [nonce], database: 'pg' })),
            () => this.#write('postgres', 'pg', table),
          ]
        : []),
    ]
  }

  /** Whoever succeeds got their own answer, and nobody else's. */
  async #echo(tool: string, input: (nonce: string) => object): Promise<Answer> {
    const nonce = randomBytes(8).toString('hex')
    const answer = await this.#call(tool, input(nonce))
    if (answer.code === undefined && !JSON.stringify(answer.data).includes(nonce))
      this.faults.push(`${tool}: the answer to ${nonce} is ${JSON.stringify(answer.data).slice(0, 200)}`)
    return answer
  }

  async #write(ledger: 'sqlite' | 'postgres', database: string, table: string): Promise<Answer> {
    const id = randomBytes(8).toString('hex')
    const query = `insert into ${table} values (${database === 'pg' ? '$1' : '?'})`
    this.ledgers[ledger].begin(id)
    const answer = await this.#call('sql:execute_transaction', {
      queries: [{ query, parameters: [id] }],
      database,
    })
    if (answer.code === undefined) this.ledgers[ledger].settle(id, 'done')
    else if (answer.isUnsent) this.ledgers[ledger].settle(id, 'not-done')
    return answer
  }

  async #call(tool: string, input: object): Promise<Answer> {
    const answer = await this.#parts.gateway.call(tool, input, timeoutMs + graceMs)
    this.#calls += 1
    this.#slowestMs = Math.max(this.#slowestMs, answer.ms)
    if (answer.code === undefined) this.#answered += 1
    else this.#failures.set(answer.code, (this.#failures.get(answer.code) ?? 0) + 1)
    if (answer.code === 'INTERNAL') this.faults.push(`${tool}: failed with INTERNAL`)
    const mayVanish = this.#parts.scenario.killsWeir === true
    if (answer.code === 'TRANSPORT' && !mayVanish)
      this.faults.push(`${tool}: no answer after ${Math.round(answer.ms)} ms`)
    return answer
  }
}

/** A small generator of random numbers that a seed repeats. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
