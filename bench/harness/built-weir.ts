import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runToEnd, type Server, startServer } from './children.ts'

const rootDir = path.resolve(import.meta.dirname, '../..')
let build: Promise<void> | undefined

/** Builds the package, once a run: what is measured is what these sources build to, never an older dist/. */
export function buildPackage(): Promise<void> {
  build ??= runToEnd(process.execPath, ['scripts/build.ts'], { cwd: rootDir })
  return build
}

/** An empty place to run Weir in: its working folder, its home, and where its caches go. Gone when disposed. */
export class Home implements Disposable {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'weir-bench-'))
  readonly #removeAtExit = () => this[Symbol.dispose]()

  constructor() {
    mkdirSync(path.join(this.dir, 'tmp'))
    process.on('exit', this.#removeAtExit)
  }

  /** `weir start` of the built package in this home, with nothing of this machine's environment but the path. */
  startWeir(): Promise<Server> {
    const env = {
      PATH: process.env['PATH'],
      HOME: this.dir,
      TMPDIR: path.join(this.dir, 'tmp'),
      XDG_CACHE_HOME: path.join(this.dir, 'cache'),
    }
    const script = path.join(rootDir, 'dist/bin/weir.js')
    return startServer([script, 'start', '--port', '0', '--json'], { cwd: this.dir, env })
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#removeAtExit)
    rmSync(this.dir, { recursive: true, force: true })
  }
}
