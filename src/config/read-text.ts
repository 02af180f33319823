import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links lead in a circle',
}

// Without it, opening a named pipe would wait for its writer.
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/** Why a file was not read, in words without its path. */
export class UnreadableError extends Error {
  /** True where the file could be opened, and what it holds is the trouble. */
  readonly isContent: boolean

  constructor(message: string, isContent: boolean) {
    super(message)
    this.isContent = isContent
  }
}

/**
 * Reads a file of at most `bytesMax` bytes as UTF-8. Never reads more than that, whatever the file
 * says about its own size, and never waits on a pipe or a device. Throws UnreadableError.
 */
export function readText(path: string, bytesMax: number): string {
  let file: number
  try {
    file = openSync(path, openFlags)
  } catch (error) {
    throw explain(error)
  }
  try {
    return decode(readBounded(file, bytesMax))
  } catch (error) {
    throw error instanceof UnreadableError ? error : explain(error)
  } finally {
    closeSync(file)
  }
}

function readBounded(file: number, bytesMax: number): Uint8Array {
  const stat = fstatSync(file)
  if (stat.isDirectory()) throw new UnreadableError('it is a folder', false)
  if (!stat.isFile()) throw new UnreadableError('it is not a plain file', false)
  const buffer = Buffer.allocUnsafe(bytesMax + 1)
  let length = 0
  while (length <= bytesMax) {
    const read = readSync(file, buffer, length, buffer.length - length, null)
    if (read === 0) return buffer.subarray(0, length)
    length += read
  }
  throw new UnreadableError(`it is larger than ${bytesMax / 1024} KiB`, true)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UnreadableError('it is not UTF-8 text', true)
  }
}

function explain(error: unknown): UnreadableError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return new UnreadableError(reasons[code] ?? `it cannot be read (${code || 'unknown cause'})`, false)
}
