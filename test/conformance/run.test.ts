import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const entry = fileURLToPath(new URL('run.ts', import.meta.url))
const run = (...args: string[]) => promisify(execFile)(process.execPath, [entry, ...args])

describe('the conformance run', () => {
  it('finds no fault in the fixture itself, at any revision', async () => {
    const { stdout } = await run('--direct')
    expect(stdout).toMatch(/\n80 passed, 0 failed\n$/)
  }, 60_000)

  it('names the choices of an option', async () => {
    await expect(run('--revision', '2024-11-05')).rejects.toMatchObject({
      code: 2,
      stderr: '--revision is "2024-11-05"; it must be one of 2026-07-28, 2025-11-25, all\n',
    })
  })
})
