import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readText, UnreadableError } from './read-text.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-read-text-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe('readText', () => {
  it('reads a file that is exactly as large as allowed, and follows links', () => {
    const path = write('full', 'x'.repeat(64))
    symlinkSync(path, join(folder, 'link'))
    expect(readText(path, 64)).toBe('x'.repeat(64))
    expect(readText(join(folder, 'link'), 64)).toBe('x'.repeat(64))
  })

  it('leaves a byte order mark out', () => {
    expect(readText(write('bom', '\uFEFFa: 1'), 64)).toBe('a: 1')
  })

  it.each([
    ['an absent file', () => join(folder, 'absent'), /does not exist/, false],
    ['a path below a file', () => join(write('file', ''), 'below'), /does not exist/, false],
    ['a folder', () => mkdirSync(join(folder, 'dir', 'in'), { recursive: true }) ?? '', /is a folder/, false],
    ['a path no system takes', () => join(folder, 'a\0b'), /cannot be read/, false],
    ['a file one byte too large', () => write('large', 'x'.repeat(1_025)), /larger than 1 KiB/, true],
    ['what is not UTF-8', () => write('latin', new Uint8Array([0x61, 0xe9, 0x62])), /not UTF-8/, true],
  ])('refuses %s', (_, path, message, isContent) => {
    const error = catchError(() => readText(path(), 1_024))
    expect(error).toBeInstanceOf(UnreadableError)
    expect((error as UnreadableError).message).toMatch(message)
    expect((error as UnreadableError).isContent).toBe(isContent)
  })

  it.skipIf(process.platform === 'win32')('never waits on a pipe or reads a device', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    expect(() => readText(join(folder, 'pipe'), 64)).toThrow(/not a plain file/)
    expect(() => readText('/dev/zero', 64)).toThrow(/not a plain file/)
  })

  it.skipIf(process.platform !== 'linux')('is not misled by a file that says it is empty', () => {
    expect(readText('/proc/version', 4_096)).toMatch(/Linux/)
    expect(() => readText('/proc/self/environ', 1)).toThrow(/larger/)
  })
})

function catchError(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
