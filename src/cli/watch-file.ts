import { watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

/** Editors write a file in several steps; this long after the last one it is whole. */
const quietMs = 100

/** A file that is watched for changes. */
export interface FileWatch {
  /** Resolves after the next change, or at once where there was one since the last call. */
  changed(): Promise<void>
  close(): void
}

/** Watches the file's folder, because editors replace the file itself, and it may not be there yet. */
export function watchFile(path: string): FileWatch {
  const name = basename(path)
  let hasChanged = false
  let wake: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  const report = () => {
    hasChanged = true
    wake?.()
  }
  const watcher = watch(dirname(resolve(path)), (_event, changedName) => {
    // Some systems do not tell which file of the folder it was.
    if (changedName !== null && changedName !== name) return
    clearTimeout(timer)
    timer = setTimeout(report, quietMs)
  })
  return {
    async changed() {
      if (!hasChanged) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      hasChanged = false
      wake = undefined
    },
    close() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}
