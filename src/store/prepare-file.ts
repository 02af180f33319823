import { mkdir, open, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { WeirError } from '../core/error.ts'
import { fileError } from './file-error.ts'
import { syncFolder } from './sync-folder.ts'

/** Where a store is. Undefined for one that keeps nothing. */
export interface StorePlace {
  readonly path: string
  readonly keyPath: string
}

/** What `sqlite:…` names; relative paths start at `baseDir`. Throws CONFIG_INVALID for anything else. */
export function findPlace(url: string, baseDir: string): StorePlace | undefined {
  const [, named] = /^sqlite:(?!\/\/)(.+)$/s.exec(url) ?? []
  if (named === ':memory:') return undefined
  if (named === undefined || named.includes('\0')) {
    // Only the scheme is shown: what follows may hold a password.
    const scheme = /^[\w+.-]{0,32}:/.exec(url)?.[0] ?? 'something else'
    throw new WeirError('CONFIG_INVALID', `store.url is no sqlite: address, but begins with ${scheme}.`, {
      hint: 'Write `sqlite:.weir/weir.db`, or `sqlite::memory:` to keep nothing.',
    })
  }
  const path = resolve(baseDir, named)
  return { path, keyPath: join(dirname(path), 'key') }
}

/**
 * Makes the folder, for nobody but this user and out of sight of git, and the file. SQLite gives the files beside it the
 * same permissions. What is there already keeps its own.
 */
export async function prepareFile({ path }: StorePlace): Promise<void> {
  try {
    await makeFolder(dirname(path))
    await (await open(path, 'a', 0o600)).close()
  } catch (cause) {
    const hint = 'Let the user that Weir runs as write there, or set `store.url` to another place.'
    throw fileError(`The store ${path} cannot be made or opened for writing`, hint, cause)
  }
}

/** Durable with every folder above it that had to be made, or a power cut would take the database with them. */
async function makeFolder(folder: string): Promise<void> {
  const topmost = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (topmost === undefined) return
  await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx', mode: 0o600 })
  for (let above = dirname(folder); above.length >= dirname(topmost).length; above = dirname(above)) {
    await syncFolder(above)
    if (above === dirname(above)) return
  }
}
