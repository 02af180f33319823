import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate for `localhost` that is its own authority, in files of its own. */
export interface Certificate extends Disposable {
  readonly certPath: string
  readonly keyPath: string
  readonly ca: string
}

/** Makes one with openssl: an EC key, as most servers have today. */
export function createCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const name = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', ['req', '-x509', ...key, ...name, '-keyout', keyPath, '-out', certPath], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ca = readFileSync(certPath, 'utf8')
  return { certPath, keyPath, ca, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}
