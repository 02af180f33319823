import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'

/** A key pair of an issuer, under an id. */
export interface Pair {
  readonly kid: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** An RSA key pair; made slowly, so tests share them. */
export function createPair(kid: string): Pair {
  return { kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }
}

/** What a token says; `null` leaves a claim out. Times are seconds since 1970. */
export interface TokenClaims {
  readonly iss?: string | null
  readonly aud?: string | readonly string[] | null
  readonly sub?: unknown
  readonly exp?: number | null
  readonly [claim: string]: unknown
}

/** Signs what it is told. */
export async function signToken(
  key: KeyObject | Uint8Array,
  claims: TokenClaims,
  header: Readonly<Record<string, unknown>>,
): Promise<string> {
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null))
  const protectedHeader = { alg: 'RS256', ...header } as { alg: string }
  const crit = header['crit'] === undefined ? {} : { crit: { x: true } }
  return new SignJWT(given).setProtectedHeader(protectedHeader).sign(key, crit)
}

/** A server that publishes keys as an issuer does. */
export interface KeyServer {
  readonly url: string
  /** What is published; undefined: the server fails. */
  publish(pairs: readonly Pair[] | undefined): void
  /** How often the keys were read. */
  readonly reads: number
  close(): Promise<void>
}

/** Publishes on a loopback port. */
export async function serveKeys(first: readonly Pair[]): Promise<KeyServer> {
  let published: readonly Pair[] | undefined = first
  let reads = 0
  const server: Server = createServer((_request, response) => {
    reads += 1
    if (published === undefined) {
      response.writeHead(500).end()
      return
    }
    const keys = published.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      ...{ kid, use: 'sig', alg: 'RS256' },
    }))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    publish(pairs) {
      published = pairs
    },
    get reads() {
      return reads
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
