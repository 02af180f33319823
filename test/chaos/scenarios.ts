import type { Relay } from '../../src/connectors/queue/relay.fixture.ts'
import type { Gateway } from './gateway.ts'
import { type MoodyApi, moods } from './moody-api.ts'

/** Everything that a scenario may break. */
export interface World {
  readonly gateway: Gateway
  readonly api: MoodyApi
  /** Absent where the machine has no PostgreSQL. */
  readonly database: Relay | undefined
  /** 0 to 1, the same for the same seed. */
  readonly random: () => number
  /** The process of the stdio server; undefined while it is not there. */
  serverPid(): Promise<number | undefined>
  pause(ms: number): Promise<void>
}

/** One kind of trouble. `strike` is called again and again until the time is over; what it broke, `mend` puts right. */
export interface Scenario {
  readonly name: string
  readonly what: string
  /** Whether Weir itself is killed, so that calls may end without an answer. */
  readonly killsWeir?: boolean
  strike(world: World): Promise<void>
  mend(world: World): Promise<void>
}

const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)]!

const apiTrouble: Scenario = {
  name: 'api',
  what: 'the API refuses, hangs, resets, throttles, answers half, or late',
  async strike({ api, random, pause }) {
    api.mood = pick(moods, random)
    await pause(200 + random() * 800)
  },
  async mend({ api }) {
    api.mood = 'well'
  },
}

const serverTrouble: Scenario = {
  name: 'server',
  what: 'the stdio server is killed at any moment',
  async strike({ serverPid, random, pause }) {
    const pid = await serverPid()
    if (pid !== undefined) kill(pid)
    await pause(300 + random() * 1_500)
  },
  async mend() {},
}

const databaseTrouble: Scenario = {
  name: 'database',
  what: 'PostgreSQL is cut off, or falls silent with its connections open',
  async strike({ database, random, pause }) {
    if (random() < 0.5) database?.cut()
    else database?.freeze()
    await pause(100 + random() * 700)
    database?.mend()
    await pause(300 + random() * 1_000)
  },
  async mend({ database }) {
    database?.mend()
  },
}

const reloadTrouble: Scenario = {
  name: 'reload',
  what: 'the configuration is read again and again',
  async strike({ gateway, random, pause }) {
    gateway.reload()
    await pause(50 + random() * 300)
  },
  async mend() {},
}

const killTrouble: Scenario = {
  name: 'kill',
  what: 'Weir itself is killed and started again',
  killsWeir: true,
  async strike({ gateway, random, pause }) {
    await pause(500 + random() * 2_000)
    await gateway.kill()
    await gateway.start()
  },
  async mend() {},
}

const all = [apiTrouble, serverTrouble, databaseTrouble, reloadTrouble]

const everything: Scenario = {
  name: 'everything',
  what: 'all of it at once, Weir’s own death aside',
  async strike(world) {
    await Promise.all(all.map((scenario) => scenario.strike(world)))
  },
  async mend(world) {
    await Promise.all(all.map((scenario) => scenario.mend(world)))
  },
}

/** By name, in the order in which they are run. */
export const scenarios: readonly Scenario[] = [...all, killTrouble, everything]

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself meanwhile.
  }
}
