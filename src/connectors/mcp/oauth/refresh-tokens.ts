import { randomUUID } from 'node:crypto'
import type { CredentialOwner } from '../../../core/authorisation.ts'
import type { StopSignal } from '../../../core/cancellation.ts'
import { WeirError } from '../../../core/error.ts'
import { authError, needsPerson } from './auth-error.ts'
import { findClient } from './client-registration.ts'
import type { CredentialShelf, Held, Tokens } from './credential-shelf.ts'
import type { OAuthParts } from './oauth-parts.ts'
import { findServer } from './server-metadata.ts'
import { requestTokens, type TokenRequest } from './token-request.ts'

/** Longer than one token request may take. Who renews has died when it is over. */
const leaseMs = 20_000
const waitMs = 200
const triesMax = 250

/** With these a server says that the same request will never do. */
const finalErrors = new Set(
  'invalid_grant invalid_client unauthorized_client invalid_scope invalid_target unsupported_grant_type'.split(
    ' ',
  ),
)

/** Whose tokens are renewed, with a shelf to keep them on. */
export type Refreshing = OAuthParts & { readonly shelf: CredentialShelf; readonly owner: CredentialOwner }

/**
 * Renews tokens, once for everybody: a refresh token may be good for one use only, and a second use of it is taken for a
 * theft. So whoever means to use it writes that down first (a lease), and every other process waits for the outcome.
 * Resolves with what stands in the store then.
 */
export async function refreshTokens(parts: Refreshing, known: Held, signal: StopSignal): Promise<Held> {
  const { shelf, owner, clock } = parts
  const request = await prepare(parts, known, signal)
  const me = randomUUID()
  const watched = { version: -1, sinceMs: 0 }
  for (let tries = 0; tries < triesMax; tries += 1) {
    const held = await shelf.get(owner, known.issuer)
    if (held === undefined) throw lacking(parts, 'its token was taken back')
    if (held.tokens.accessToken !== known.tokens.accessToken) return held
    const { refreshToken, lease } = held.tokens
    if (refreshToken === undefined) throw lacking(parts, 'its token has expired and cannot be renewed')
    if (held.version !== watched.version)
      Object.assign(watched, { version: held.version, sinceMs: clock.monotonicMs() })
    // The other clock may be wrong, but not the time that has passed here.
    const isLeased =
      lease !== undefined && lease.until > clock.now() && clock.monotonicMs() - watched.sinceMs < leaseMs
    if (isLeased) await wait(parts, signal)
    else {
      const leased = await takeLease(parts, held, me)
      if (leased !== undefined) return renew(parts, leased, { ...request, ...grantOf(refreshToken) }, signal)
    }
  }
  throw new WeirError('UPSTREAM_TIMEOUT', 'Another Weir did not finish renewing the token.', {
    data: { sent: false },
  })
}

async function prepare(parts: Refreshing, { issuer, tokens }: Held, signal: StopSignal) {
  const server = await findServer(parts.http, issuer, signal)
  const client = await findClient(parts, server)
  if (client === undefined) throw lacking(parts, `Weir is not registered at ${issuer} any more`)
  return { server, client, resource: tokens.resource, scopes: tokens.requested }
}

function grantOf(refreshToken: string): Pick<TokenRequest, 'grant'> {
  return { grant: { grant_type: 'refresh_token', refresh_token: refreshToken } }
}

async function takeLease(
  { shelf, owner, clock }: Refreshing,
  held: Held,
  by: string,
): Promise<Held | undefined> {
  const tokens: Tokens = { ...held.tokens, lease: { by, until: clock.now() + leaseMs } }
  if (!(await shelf.put(owner, held.issuer, tokens, held.version))) return undefined
  const leased = await shelf.get(owner, held.issuer)
  return leased?.tokens.lease?.by === by ? leased : undefined
}

async function renew(
  parts: Refreshing,
  leased: Held,
  request: TokenRequest,
  signal: StopSignal,
): Promise<Held> {
  const { lease: _, ...old } = leased.tokens
  let fresh: Tokens
  try {
    fresh = await requestTokens(parts, request, signal)
  } catch (error) {
    const isFinal = error instanceof WeirError && finalErrors.has(String(error.data?.['error']))
    if (!isFinal) {
      await keep(parts, leased, old)
      throw error
    }
    const { refreshToken: __, ...dead } = old
    await keep(parts, leased, dead)
    if (error.data?.['error'] === 'invalid_client') await parts.shelf.removeClient(leased.issuer)
    throw lacking(parts, `its issuer refused to renew the token (${String(error.data?.['error'])})`, error)
  }
  const kept: Tokens = {
    ...(old.refreshToken === undefined ? {} : { refreshToken: old.refreshToken }),
    ...fresh,
  }
  return keep(parts, leased, kept)
}

/** What was written meanwhile, by a person who agreed anew, or by one who took it all back, wins. */
async function keep(parts: Refreshing, leased: Held, tokens: Tokens): Promise<Held> {
  const { shelf, owner, log } = parts
  try {
    await shelf.put(owner, leased.issuer, tokens, leased.version)
  } catch (error) {
    // The old refresh token may be used up: this process at least can go on with the new one.
    log.error({ error }, 'Renewed tokens could not be stored.')
    return { ...leased, tokens }
  }
  const now = await shelf.get(owner, leased.issuer)
  if (now === undefined) throw lacking(parts, 'its token was taken back')
  return now
}

function lacking({ connection, owner, auth }: Refreshing, why: string, cause?: unknown): WeirError {
  const need = { connection, owner, isPerCaller: auth.per === 'caller' }
  return needsPerson(`The MCP server asks for an OAuth token, and ${why}.`, need, cause)
}

function wait({ clock }: Refreshing, signal: StopSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(authError('The connection was closed.'))
    clock.setTimer(resolve, waitMs)
  })
}
