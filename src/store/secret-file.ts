import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { WeirError } from '../core/error.ts'
import { fileError } from './file-error.ts'
import { syncFolder } from './sync-folder.ts'

/**
 * What a file holds that is for nobody but its owner, up to one byte more than it should; undefined where there is none.
 * `what` names it in errors. Throws STORE_UNUSABLE where others can read it.
 */
export async function readSecretFile(
  path: string,
  what: string,
  bytesMax: number,
): Promise<Buffer | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw fileError(`${what} cannot be read`, 'Let the user that Weir runs as read it.', cause)
  }
  try {
    const { mode } = await file.stat()
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8)
      throw new WeirError('STORE_UNUSABLE', `${what} can be read by others (mode ${shown}).`, {
        hint: `Run chmod 600 ${path}.`,
      })
    }
    const { bytesRead, buffer } = await file.read(Buffer.alloc(bytesMax + 1), 0, bytesMax + 1, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/**
 * Whole and durable before it has its name, so that nothing ever relies on what a power cut takes away. Where another
 * process was first, its file stays.
 */
export async function makeSecretFile(path: string, what: string, content: Buffer): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await writeDurably(draft, content)
    await link(draft, path).catch(passOver('EEXIST'))
    await unlink(draft)
    await syncFolder(dirname(path))
  } catch (cause) {
    await unlink(draft).catch(passOver('ENOENT'))
    throw fileError(`${what} could not be made`, 'Let Weir write in this folder.', cause)
  }
}

async function writeDurably(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

function passOver(code: string): (thrown: NodeJS.ErrnoException) => void {
  return (thrown) => {
    if (thrown.code !== code) throw thrown
  }
}
