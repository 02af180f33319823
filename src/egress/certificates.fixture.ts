import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its key, PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** A certificate authority that exists for one test file: openssl's own work, nothing is canned. */
export interface TestAuthority extends Disposable {
  readonly ca: string
  /** A certificate for a server's name or for a client. `days` below 1: it has expired. */
  issue(name: string, options?: { readonly days?: number; readonly passphrase?: string }): Pair
}

/** Makes an authority. */
export function createTestAuthority(): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'weir-certificates-'))
  const at = (file: string) => join(folder, file)
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    ...['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test authority'],
    ...['-keyout', at('ca.key'), '-out', at('ca.pem')],
  )
  const ca = readFileSync(at('ca.pem'), 'utf8')
  return {
    ca,
    issue(name, { days = 2, passphrase } = {}) {
      const [key, request, cert] = [at('leaf.key'), at('leaf.csr'), at('leaf.pem')]
      openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', request)
      writeFileSync(at('extensions'), `subjectAltName=DNS:${name}`)
      openssl(
        ...['x509', '-req', '-in', request, '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
        ...['-extfile', at('extensions'), '-days', String(days), '-out', cert],
      )
      if (passphrase !== undefined) {
        openssl('pkcs8', '-topk8', '-in', key, '-passout', `pass:${passphrase}`, '-out', at('locked.key'))
      }
      const keyFile = passphrase === undefined ? key : at('locked.key')
      return { cert: readFileSync(cert, 'utf8'), key: readFileSync(keyFile, 'utf8') }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}
