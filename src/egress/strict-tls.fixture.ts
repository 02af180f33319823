import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Pair } from './certificates.fixture.ts'

/** openssl's own server, which ends the handshake with an alert, as most servers do; Node's closes the socket instead. */
export async function startStrictTls({ cert, key }: Pair, ca: string) {
  const folder = mkdtempSync(join(tmpdir(), 'weir-strict-tls-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const child = spawn(
    'openssl',
    [
      ...['s_server', '-accept', '127.0.0.1:0', '-www', '-alpn', 'h2,http/1.1', '-verify_return_error'],
      ...[
        '-Verify',
        '1',
        '-CAfile',
        file('ca.pem', ca),
        '-cert',
        file('cert.pem', cert),
        '-key',
        file('key.pem', key),
      ],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const lines = createInterface({ input: child.stdout })
  let port = ''
  for await (const line of lines) {
    port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1] ?? ''
    if (port !== '') break
  }
  child.stdout.resume()
  return {
    origin: `https://localhost:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
      rmSync(folder, { recursive: true })
    },
  }
}
