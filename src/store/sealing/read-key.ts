import { hkdfSync, randomBytes } from 'node:crypto'
import { WeirError } from '../../core/error.ts'
import { makeSecretFile, readSecretFile } from '../secret-file.ts'
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
  await makeSecretFile(path, `The key file ${path}`, randomBytes(keyBytes))
  // Another process may have been first: what the file holds is the key, whoever made it.
  const made = await readKeyFile(path)
  if (made !== undefined) return made
  throw unusable(path, 'vanished as soon as it was made', 'Look for a program that cleans this folder.')
}

async function readKeyFile(path: string): Promise<SealingKey | undefined> {
  const bytes = await readSecretFile(path, `The key file ${path}`, keyBytes)
  if (bytes === undefined) return undefined
  if (bytes.length === keyBytes) return createSealingKey(bytes)
  throw unusable(path, `does not hold ${keyBytes} bytes`, 'Put the key file back from your backup.')
}

function unusable(path: string, what: string, hint: string): WeirError {
  return new WeirError('STORE_UNUSABLE', `The key file ${path} ${what}.`, { hint })
}
