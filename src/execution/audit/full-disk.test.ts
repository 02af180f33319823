import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { makeFolder } from '../../store/store.fixture.ts'

const run = promisify(execFile)
const caller = join(import.meta.dirname, 'full-disk.fixture.ts')

/** A disk of 1 MiB in a namespace of its own, which most Linux machines let everybody make. */
const onSmallDisk = (folder: string, command: readonly string[]) => [
  ...['--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"', folder],
  ...command,
]

function canMount(): boolean {
  try {
    execFileSync('unshare', onSmallDisk('/mnt', ['true']), { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

it.skipIf(!canMount())(
  'R17: changes nothing while the disk has no room for the audit, reads on, and heals',
  async () => {
    const folder = makeFolder()
    const command = [process.execPath, '--no-warnings', caller, folder]
    const { stdout } = await run('unshare', onSmallDisk(folder, command))
    expect(JSON.parse(stdout)).toEqual({
      fates: {
        'write before': 'complete',
        'write full': 'AUDIT_UNAVAILABLE',
        'read full': 'complete',
        'write healed': 'complete',
      },
      effects: ['read full', 'write healed'],
      kept: ['read full', 'write full', 'write healed'],
    })
  },
)
