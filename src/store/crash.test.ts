import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder, openIn } from './store.fixture.ts'

const writer = join(import.meta.dirname, 'crash-writer.fixture.ts')
const seed = Number(process.env['WEIR_TEST_SEED'] ?? 20_261_121)

/** Numbers from 0 to 1 that are the same in every run of one seed. */
function random(index: number): number {
  const spread = Math.imul(seed ^ Math.imul(index + 1, 0x9e37_79b1), 0x85eb_ca6b)
  return (Math.imul(spread ^ (spread >>> 15), 0xc2b2_ae35) >>> 0) / 2 ** 32
}

/** Lets a process write until it has acknowledged `lines` writes and a little more, and kills it; what it said. */
async function killAfter(folder: string, lines: number, delayMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--no-warnings', writer, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  let isDoomed = false
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
    if (isDoomed || said.split('\n').length <= lines) return
    isDoomed = true
    setTimeout(() => child.kill('SIGKILL'), delayMs)
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  // The last line may have been cut off on its way out.
  return said.split('\n').slice(0, -1)
}

const points = Array.from({ length: 6 }, (_, index) => [
  1 + Math.floor(random(2 * index) * 1_500),
  random(2 * index + 1) * 20,
])

it.each(
  points,
)('R16: has every acknowledged write after a kill -9, after %i writes', async (lines, delay) => {
  const folder = makeFolder()
  const acknowledged = await killAfter(folder, lines!, delay!)
  expect(acknowledged.length).toBeGreaterThanOrEqual(lines!)
  const { pins, credentials } = await openIn(folder)
  const names = new Set((await pins.list()).map(({ name }) => name))
  const subjects = new Set((await credentials.list('api')).map(({ subject }) => subject))
  const isThere = (line: string) => {
    const [kind, number] = line.split(' ')
    if (kind === 'credential') return subjects.has(number!)
    return ['a', 'b', 'c'].every((part) => names.has(`${number}-${part}`))
  }
  expect(acknowledged.filter((line) => !isThere(line))).toEqual([])
  // What was not acknowledged is there as a whole or not at all.
  expect(names.size % 3).toBe(0)
  const last = [...subjects].at(-1)
  if (last === undefined) return
  const key = { connection: 'api', tenant: '', subject: last, issuer: 'i', kind: 'tokens' }
  expect((await credentials.get(key))?.value).toBe(`secret ${last}`)
})
