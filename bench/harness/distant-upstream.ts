import { type Certificate, createCertificate } from './certificate.ts'
import { startServer } from './children.ts'

const baselines = new URL('../baselines/', import.meta.url).pathname

/** A TLS server that seems to be `rttMs` away. */
export interface DistantUpstream extends AsyncDisposable {
  readonly url: string
  readonly ca: string
}

/** Starts the server and, in a process of its own, the relay that makes it distant; at 0 ms too, for its own cost. */
export async function startDistantUpstream(rttMs: number): Promise<DistantUpstream> {
  const certificate: Certificate = createCertificate()
  const { certPath, keyPath, ca } = certificate
  const server = await startServer([`${baselines}tls-upstream.ts`, '--cert', certPath, '--key', keyPath])
  const { port } = new URL(server.url)
  const relay = await startServer([`${baselines}delaying-relay.ts`, '--to', port, '--rtt-ms', `${rttMs}`])
  return {
    url: relay.url,
    ca,
    async [Symbol.asyncDispose]() {
      await relay.stop()
      await server.stop()
      certificate[Symbol.dispose]()
    },
  }
}
