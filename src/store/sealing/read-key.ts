import { hkdfSync, randomBytes } from 'node:crypto'
import { type FileHandle, link, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { WeirError } from '../../core/error.ts'
import { fileError } from '../file-error.ts'
import { syncFolder } from '../sync-folder.ts'
import { createSealingKey, type SealingKey } from './seal.ts'

/** Gives the key. A missing one is made, but not where `holdsSealed`: then something waits for that very key. */
export type KeyReader = (holdsSealed: () => Promise<boolean>) => Promise<SealingKey>

const keyBytes = 32

/** The key that `secret` stands for: the same in every process that has it. */
export function deriveKey(secret: string): KeyReader {
  const bytes = new Uint8Array(hkdfSync('sha256', secret, '', 'weir/store/credentials', keyBytes))
  const key = createSealingKey(bytes)
  return async () => key
}

/** A key that ends with the process, as what it seals does. */
export function createPassingKey(): KeyReader {
  const key = createSealingKey(randomBytes(keyBytes))
  return async () => key
}

/** The key in a file, read once; a read that fails is tried again at the next need. */
export function keyFromFile(path: string): KeyReader {
  let reading: Promise<SealingKey> | undefined
  return (holdsSealed) => {
    reading ??= readOrMake(path, holdsSealed).catch((thrown: unknown) => {
      reading = undefined
      throw thrown
    })
    return reading
  }
}

async function readOrMake(path: string, holdsSealed: () => Promise<boolean>): Promise<SealingKey> {
  const found = await readKeyFile(path)
  if (found !== undefined) return found
  if (await holdsSealed()) {
    throw new WeirError(
      'STORE_UNUSABLE',
      `The key file ${path} is missing, and stored credentials need it.`,
      {
        hint: 'Put the key file back beside the database, or move both away and sign in again.',
      },
    )
  }
  await makeKeyFile(path)
  // Another process may have been first: what the file holds is the key, whoever made it.
  const made = await readKeyFile(path)
  if (made !== undefined) return made
  throw unusable(path, 'vanished as soon as it was made', 'Look for a program that cleans this folder.')
}

async function readKeyFile(path: string): Promise<SealingKey | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw fileError(`The key file ${path} cannot be read`, 'Let the user that Weir runs as read it.', cause)
  }
  try {
    const { mode } = await file.stat()
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8)
      throw unusable(path, `can be read by others (mode ${shown})`, `Run chmod 600 ${path}.`)
    }
    const { bytesRead, buffer } = await file.read(Buffer.alloc(keyBytes + 1), 0, keyBytes + 1, 0)
    if (bytesRead !== keyBytes) {
      throw unusable(path, `does not hold ${keyBytes} bytes`, 'Put the key file back from your backup.')
    }
    return createSealingKey(buffer.subarray(0, keyBytes))
  } finally {
    await file.close()
  }
}

/** Whole and durable before it has its name, so that nothing is ever sealed with a key that a power cut takes away. */
async function makeKeyFile(path: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await writeDurably(draft)
    await link(draft, path).catch(passOver('EEXIST'))
    await unlink(draft)
    await syncFolder(dirname(path))
  } catch (cause) {
    await unlink(draft).catch(passOver('ENOENT'))
    throw fileError(`The key file ${path} could not be made`, 'Let Weir write in this folder.', cause)
  }
}

async function writeDurably(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(randomBytes(keyBytes))
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

function unusable(path: string, what: string, hint: string): WeirError {
  return new WeirError('STORE_UNUSABLE', `The key file ${path} ${what}.`, { hint })
}
