import type {
  Authorisation,
  AuthorisationRequest,
  CredentialOwner,
  GrantStatus,
} from '../../../core/authorisation.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Connection } from '../../../core/connector.ts'
import type { Egress } from '../../../egress/egress.ts'
import type { Implementation } from '../../../wire/model.ts'
import { authError } from './auth-error.ts'
import { findClient } from './client-registration.ts'
import type { CredentialShelf, Held } from './credential-shelf.ts'
import type { OAuth } from './oauth.ts'
import type { OAuthParts } from './oauth-parts.ts'
import { obtainFromPerson } from './obtain-tokens.ts'
import { probe } from './probe.ts'
import { findServer } from './server-metadata.ts'
import { revokeToken } from './token-request.ts'

/** Where the server is, and how a token is tried out. */
export interface AuthorisationOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly allowPrivate: boolean | readonly string[]
  readonly egress: Egress
  readonly self: Implementation
  /** Opens the connection as this owner. */
  readonly openFor: (owner: CredentialOwner, signal: AbortSignal) => Promise<Connection>
}

/** What `weir auth` does for one connection. */
export function createAuthorisation(oauth: OAuth, options: AuthorisationOptions): Authorisation {
  const { parts } = oauth
  return {
    isPerCaller: parts.auth.per === 'caller',
    authorise: (request) => authorise(oauth, options, request),
    status: async () => {
      const shelf = needShelf(oauth)
      const found = await Promise.all(
        (await shelf.keys('tokens')).map((key) => readStatus(shelf, key, parts.clock)),
      )
      return found.filter((status) => status !== undefined)
    },
    revoke: (owner, signal) => revoke(oauth, owner, signal),
    close: () => oauth.close(),
  }
}

async function authorise(
  oauth: OAuth,
  { url, headers, allowPrivate, egress, self, openFor }: AuthorisationOptions,
  { owner, person, scopes, signal }: AuthorisationRequest,
): Promise<number> {
  const shelf = needShelf(oauth)
  const client = egress.client({ allowPrivate })
  const challenge = await probe(client, { url, headers, self }, signal).finally(() => client.close())
  const before = scopes.length === 0 ? undefined : await shelf.find(owner, oauth.parts.auth.issuer)
  const wanted = [...(before?.tokens.requested ?? []), ...scopes]
  const occasion = { challenge, scopes: scopes.length === 0 ? [] : wanted }
  await oauth.keeper(owner).keep(await obtainFromPerson(oauth.parts, person, occasion, signal))
  const connection = await openFor(owner, signal)
  try {
    return connection.targets().length
  } finally {
    await connection.close()
  }
}

async function readStatus(
  shelf: CredentialShelf,
  { tenant, subject, issuer }: CredentialOwner & { readonly issuer: string },
  clock: Clock,
): Promise<GrantStatus | undefined> {
  const held = await shelf.get({ tenant, subject }, issuer)
  return held === undefined ? undefined : toStatus({ tenant, subject }, held, clock)
}

function toStatus(owner: CredentialOwner, { issuer, tokens }: Held, clock: Clock): GrantStatus {
  const { expiresAt, refreshToken, scopes } = tokens
  const isOver = expiresAt !== undefined && expiresAt <= clock.now()
  return {
    ...owner,
    issuer,
    scopes,
    state: !isOver ? 'valid' : refreshToken === undefined ? 'expired' : 'renewable',
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** Forgets first: a token that its issuer could not be told of is of no use to Weir any more all the same. */
async function revoke(
  oauth: OAuth,
  { tenant, subject }: CredentialOwner,
  signal: AbortSignal,
): Promise<readonly GrantStatus[]> {
  const { parts } = oauth
  const shelf = needShelf(oauth)
  const owner = { tenant, subject }
  const forgotten: GrantStatus[] = []
  for (const { issuer, ...key } of await shelf.keys('tokens')) {
    if (key.tenant !== tenant || key.subject !== subject) continue
    const held = await shelf.get(owner, issuer)
    await shelf.remove(owner, issuer)
    if (held !== undefined) {
      forgotten.push(toStatus(owner, held, parts.clock))
      await tellIssuer(parts, held, signal)
    }
  }
  await forgetClients(shelf)
  return forgotten
}

/** Where nobody has tokens left, Weir begins as a stranger the next time: the server may have forgotten it too. */
async function forgetClients(shelf: CredentialShelf): Promise<void> {
  const used = new Set((await shelf.keys('tokens')).map(({ issuer }) => issuer))
  for (const { issuer } of await shelf.keys('client')) {
    if (!used.has(issuer)) await shelf.removeClient(issuer)
  }
}

async function tellIssuer(parts: OAuthParts, { issuer, tokens }: Held, signal: AbortSignal): Promise<void> {
  try {
    const server = await findServer(parts.http, issuer, signal)
    const client = await findClient(parts, server)
    if (client !== undefined) await revokeToken(parts, { server, client }, tokens, signal)
  } catch (error) {
    parts.log.warn({ error, issuer }, 'The issuer could not be told that a token is of no more use.')
  }
}

function needShelf({ parts }: OAuth): CredentialShelf {
  if (parts.shelf !== undefined) return parts.shelf
  throw authError('This Weir has no store, so that it could not keep the token.', {
    hint: 'Configure a store, or put a token under `headers` of the connection.',
  })
}
