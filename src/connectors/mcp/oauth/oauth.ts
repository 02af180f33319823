import type { CredentialOwner, Person } from '../../../core/authorisation.ts'
import { systemClock } from '../../../core/clock.ts'
import type { OpenContext } from '../../../core/connector.ts'
import type { Egress } from '../../../egress/egress.ts'
import { type AuthConfig, defaultAuth } from './auth-config.ts'
import { readSigningKey } from './client-authentication.ts'
import { CredentialShelf } from './credential-shelf.ts'
import { OAuthHttp } from './oauth-http.ts'
import type { OAuthParts } from './oauth-parts.ts'
import { canonicalUrl } from './resource-metadata.ts'
import { TokenKeeper } from './token-keeper.ts'

/** The server that tokens are for, and what the configuration says of them. */
export interface OAuthTarget {
  readonly url: string
  readonly auth?: AuthConfig | undefined
  readonly allowPrivate: boolean | readonly string[]
}

/** Everything of one connection that has to do with tokens, and its own way to authorization servers. */
export interface OAuth {
  readonly parts: OAuthParts
  /** One owner's tokens, as a credential for requests. */
  keeper(owner: CredentialOwner, person?: Person): TokenKeeper
  /** Ends what is under way. Safe to call twice. */
  close(): Promise<void>
}

const socketsMax = 4

/** Opens no socket before it has to. Throws CONFIG_INVALID. */
export function createOAuth(
  { url, auth = defaultAuth, allowPrivate }: OAuthTarget,
  { name, log, credentials }: Pick<OpenContext, 'name' | 'log' | 'credentials'>,
  egress: Egress,
): OAuth {
  const { privateKey, keyId } = auth
  const signingKey = privateKey === undefined ? undefined : readSigningKey(privateKey, keyId)
  const client = egress.client({
    name,
    allowPrivate,
    connectionsPerOrigin: socketsMax,
    connectionsMax: socketsMax * 2,
  })
  const serverUrl = canonicalUrl(url)
  // Tokens in Weir's own name are there for the asking, so that keeping them would only be a risk.
  const keepsThem = credentials !== undefined && auth.grant === 'authorization_code'
  const parts: OAuthParts = {
    ...{
      connection: name,
      serverUrl,
      auth,
      signingKey,
      log,
      clock: systemClock,
      http: new OAuthHttp(client),
    },
    shelf: keepsThem ? new CredentialShelf(credentials, name, serverUrl) : undefined,
  }
  const keepers: TokenKeeper[] = []
  return {
    parts,
    keeper(owner, person) {
      const keeper = new TokenKeeper({ ...parts, owner, person })
      keepers.push(keeper)
      return keeper
    },
    async close() {
      for (const keeper of keepers) keeper.close()
      await client.close()
    },
  }
}
