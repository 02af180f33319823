import { Console } from 'node:console'
import { Writable } from 'node:stream'

/** The only way to stdout, while it is claimed. */
export interface ClaimedStdout {
  readonly stream: Writable
  /** Gives stdout back to everybody. */
  release(): void
}

/**
 * Takes stdout for one protocol: whatever else writes there, a dependency's stray `console.log` included, goes to
 * stderr from now on, because one line of it would break the client's parser.
 */
export function claimStdout(): ClaimedStdout {
  const { stdout, stderr } = process
  const write = stdout.write.bind(stdout)
  const formerConsole = globalThis.console
  stdout.write = stderr.write.bind(stderr)
  globalThis.console = new Console(stderr, stderr)
  return {
    stream: new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, encoding, done) => {
        write(chunk, encoding, done)
      },
    }),
    release() {
      stdout.write = write
      globalThis.console = formerConsole
    },
  }
}
