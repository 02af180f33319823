import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AuditRecord, AuditStore } from '../../core/audit.ts'
import { makeFolder, openIn } from '../../store/store.fixture.ts'

const caller = join(import.meta.dirname, 'crash.fixture.ts')
const seed = Number(process.env['WEIR_TEST_SEED'] ?? 20_261_129)

/** Numbers from 0 to 1 that are the same in every run of one seed. */
function random(index: number): number {
  const spread = Math.imul(seed ^ Math.imul(index + 1, 0x9e37_79b1), 0x85eb_ca6b)
  return (Math.imul(spread ^ (spread >>> 15), 0xc2b2_ae35) >>> 0) / 2 ** 32
}

/** Lets calls go on until so many had their effect and a little more, and kills the process; the effects. */
async function killAfter(folder: string, effects: number, delayMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--no-warnings', caller, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  let isDoomed = false
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
    if (isDoomed || said.split('\n').length <= effects) return
    isDoomed = true
    setTimeout(() => child.kill('SIGKILL'), delayMs)
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  return said.split('\n').slice(0, -1)
}

async function readAll(audit: AuditStore): Promise<readonly AuditRecord[]> {
  const records: AuditRecord[] = []
  const [state] = await audit.chains()
  for (;;) {
    const after = records.at(-1)?.seq
    const page = await audit.read({ chain: state!.chain, isNewestFirst: false, limit: 1_000, after })
    if (page.length === 0) return records
    records.push(...page)
  }
}

const points = Array.from({ length: 5 }, (_, index) => [
  1 + Math.floor(random(2 * index) * 1_000),
  random(2 * index + 1) * 20,
])

it.each(
  points,
)('R17: holds the intent of every effect after a kill -9, after %i effects', async (effects, delay) => {
  const folder = makeFolder()
  const happened = await killAfter(folder, effects!, delay!)
  expect(happened.length).toBeGreaterThanOrEqual(effects!)
  const { audit } = await openIn(folder)
  const records = await readAll(audit)
  const intents = new Set(records.filter(({ kind }) => kind === 'intent').map(({ call }) => call))
  expect(happened.filter((id) => !intents.has(id))).toEqual([])
  const verdict = await audit.verify({})
  expect([verdict.fault, verdict.rows]).toEqual([undefined, records.length])
  // The outcome of nearly every call is there as well; what was under way has none.
  const outcomes = records.filter(({ kind }) => kind === 'outcome').length
  expect(outcomes).toBeGreaterThan(happened.length - 200)
})
