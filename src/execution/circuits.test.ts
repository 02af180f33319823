import { expect, it } from 'vitest'
import { createMetrics } from '../telemetry/metrics.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createCircuits } from './circuits.ts'
import { silentLog } from './silent-log.fixture.ts'

const rule = { failures: 1, recoveryMs: 60_000, successes: 1 }

function setUp() {
  const clock = createFakeClock()
  return { clock, circuits: createCircuits({ clock, log: silentLog, metrics: createMetrics() }) }
}

/** Opens a circuit that nothing holds afterwards. */
function openOne(circuits: ReturnType<typeof setUp>['circuits'], id: string): void {
  const circuit = circuits.of(id, rule)
  circuit.fail(circuit.enter()!)
}

it('gives the same circuit for the same id, with the newest rule', () => {
  const { circuits } = setUp()
  const first = circuits.of('box:echo', rule)
  const changed = { ...rule, failures: 9 }
  expect(circuits.of('box:echo', changed)).toBe(first)
  expect(first.rule).toBe(changed)
  expect(circuits.of('box:other', rule)).not.toBe(first)
})

it('keeps nothing of targets that are gone, unless they are in trouble', async () => {
  const { circuits } = setUp()
  openOne(circuits, 'box:broken')
  for (let i = 0; i < 5_000; i += 1) circuits.of(`box:gone-${i}`, rule)
  await collectGarbage()
  expect(circuits.report().map(({ name }) => name)).toEqual(['box:broken'])
})

it('forgets those in trouble ten minutes later, and all but the last thousand', async () => {
  const { circuits, clock } = setUp()
  for (let i = 0; i < 1_100; i += 1) openOne(circuits, `box:broken-${i}`)
  await collectGarbage()
  expect(circuits.report()).toHaveLength(1_000)
  await clock.advance(600_001)
  circuits.report()
  await collectGarbage()
  expect(circuits.report()).toHaveLength(0)
})

async function collectGarbage(): Promise<void> {
  // What a WeakRef was asked for lives until the end of the turn.
  await new Promise((resolve) => setImmediate(resolve))
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  await new Promise((resolve) => setImmediate(resolve))
}
