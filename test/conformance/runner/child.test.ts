import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startServer } from './child.ts'

const dir = mkdtempSync(join(tmpdir(), 'weir-child-'))
afterAll(() => rmSync(dir, { recursive: true }))

const script = (name: string, source: string) => {
  const file = join(dir, name)
  writeFileSync(file, source)
  return [file]
}
const listening = (url: string) => `console.log(JSON.stringify({ event: 'listening', url: ${url} }))`

describe('startServer', () => {
  it('finds the line among others', async () => {
    const server = await startServer(
      script(
        'noisy.mjs',
        `console.log('{broken'); console.log('hello'); ${listening("'http://x'")}; setInterval(() => {}, 1e6)`,
      ),
      dir,
      10_000,
    )
    expect(server.url).toBe('http://x')
    expect(server.output()).toContain('hello')
    await server.stop()
    await server.stop()
    expect(await server.exited).toBe(-1)
  })

  it('shows what a server said that ends without listening', async () => {
    const failing = startServer(
      script('failing.mjs', `console.error('no such option'); process.exit(3)`),
      dir,
      10_000,
    )
    await expect(failing).rejects.toThrow(/exited with 3\nno such option/)
  })

  it('ends a server that never listens', async () => {
    const silent = startServer(script('silent.mjs', `setInterval(() => {}, 1e6)`), dir, 300)
    await expect(silent).rejects.toThrow('within 300 ms')
  })

  it('ends the children of a server, and one that ignores a polite signal', async () => {
    const source = `
      import { spawn } from 'node:child_process'
      process.on('SIGTERM', () => {})
      setInterval(() => {}, 1e6)
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'])
      ${listening("'pid:' + child.pid")}`
    const server = await startServer(script('parent.mjs', source), dir, 10_000)
    const grandchild = Number(server.url.slice('pid:'.length))
    expect(() => process.kill(grandchild, 0)).not.toThrow()
    await server.stop()
    await expect.poll(() => isAlive(grandchild)).toBe(false)
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
