import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { OpenapiDocument, splitRef } from './document.ts'
import type { DocumentSource, ReadDocument } from './document-source.ts'
import { documentBytesMax, type Node, parseText } from './parse-document.ts'
import { walkRefs } from './walk-refs.ts'

/** Files that a document may be made of. */
const filesMax = 200

/** A document in a file, and the files it refers to, all of them within `baseDir`. Read again only where one changed. */
export function createFileSource(source: string, baseDir: string): DocumentSource {
  let last: ReadonlyMap<string, string> | undefined
  return {
    async read(signal) {
      signal.throwIfAborted()
      if (last !== undefined && (await isUnchanged(last))) return undefined
      const bundle = new FileBundle(await realpath(baseDir), signal)
      const document = await bundle.read(resolve(baseDir, source))
      last = bundle.stamps
      return document
    },
    close: async () => {},
  }
}

async function isUnchanged(stamps: ReadonlyMap<string, string>): Promise<boolean> {
  const now = await Promise.all([...stamps.keys()].map((path) => stampOf(path).catch(() => undefined)))
  return [...stamps.values()].every((stamp, at) => stamp === now[at])
}

async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(path)
  return [ino, size, mtimeMs, ctimeMs].join(' ')
}

/** Reads one document with all its files. */
class FileBundle {
  readonly stamps = new Map<string, string>()
  /** The config file's folder, its symbolic links followed: nothing outside is read for a reference (S19). */
  readonly #folder: string
  readonly #signal: AbortSignal
  readonly #files = new Map<string, Node>()
  readonly #refused = new Set<string>()
  #root = ''
  #bytesLeft = documentBytesMax

  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder
    this.#signal = signal
  }

  async read(path: string): Promise<ReadDocument> {
    this.#root = await realpath(path).catch((cause) => {
      throw unreadable(cause)
    })
    const pending = [this.#root]
    // The list grows while it is read.
    for (const file of pending) {
      if (this.#files.size >= filesMax) throw new Error(`it refers to more than ${filesMax} files`)
      const node = await this.#readFile(file)
      this.#files.set(this.#keyOf(file), node)
      for (const found of await this.#rewriteRefs(node, file))
        if (!pending.includes(found)) pending.push(found)
    }
    return { document: new OpenapiDocument(this.#files.get('')!, this.#files), refused: [...this.#refused] }
  }

  /** What a reference calls the file: nothing for the document itself. */
  #keyOf(path: string): string {
    return path === this.#root ? '' : relative(this.#folder, path)
  }

  async #readFile(path: string): Promise<Node> {
    try {
      const found = await stat(path)
      // Other kinds of files may never end, or only end when somebody writes.
      if (!found.isFile()) throw new Error('it is not a file')
      this.#bytesLeft -= found.size
      if (this.#bytesLeft < 0) throw new Error(`it has more than ${documentBytesMax} bytes`)
      this.stamps.set(path, await stampOf(path))
      return await parseText(await readFile(path, 'utf8'), this.#signal)
    } catch (cause) {
      this.#signal.throwIfAborted()
      throw unreadable(cause, this.#keyOf(path))
    }
  }

  /** Gives every reference the key of its file, and the files that are there to be read. */
  async #rewriteRefs(node: Node, from: string): Promise<readonly string[]> {
    const holders: { $ref: string }[] = []
    walkRefs(node, (holder) => holders.push(holder))
    const byFile = new Map<string, string | undefined>([['', from]])
    for (const { $ref } of holders) {
      const [file] = splitRef($ref)
      if (!byFile.has(file)) byFile.set(file, await this.#locate(file, from))
    }
    for (const holder of holders) {
      const [file, pointer] = splitRef(holder.$ref)
      const path = byFile.get(file)
      if (path === undefined) this.#refused.add(holder.$ref.slice(0, 200))
      holder.$ref = path === undefined ? `\0refused#${pointer}` : `${this.#keyOf(path)}#${pointer}`
    }
    return [...byFile.values()].filter((path) => path !== undefined)
  }

  /** The real path of a file that may be read; undefined for all others, and for what is not there. */
  async #locate(file: string, from: string): Promise<string | undefined> {
    if (/^[a-z][a-z0-9+.-]*:|^[\\/]|\0/i.test(file) || isAbsolute(file)) return undefined
    try {
      const path = await realpath(resolve(dirname(from), decodeURIComponent(file)))
      return path.startsWith(this.#folder.endsWith(sep) ? this.#folder : this.#folder + sep)
        ? path
        : undefined
    } catch {
      return undefined
    }
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  ELOOP: 'its symbolic links lead in a circle',
}

/** Without the path, which is nobody's business but the log's. */
function unreadable(cause: unknown, key = ''): Error {
  const { code, message } = cause as NodeJS.ErrnoException
  const why = code === undefined ? message : (reasons[code] ?? `it cannot be read (${code})`)
  return new Error(key === '' ? why : `${key}: ${why}`, { cause })
}
