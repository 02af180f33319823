import type { Clock } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import type { AuthConfig } from './auth-config.ts'
import type { SigningKey } from './client-authentication.ts'
import type { CredentialShelf } from './credential-shelf.ts'
import type { OAuthHttp } from './oauth-http.ts'

/** What everything that is done for the tokens of one connection is done with. */
export interface OAuthParts {
  readonly connection: string
  readonly serverUrl: string
  readonly auth: AuthConfig
  readonly http: OAuthHttp
  /** Absent where this Weir keeps nothing. */
  readonly shelf: CredentialShelf | undefined
  readonly signingKey: SigningKey | undefined
  readonly clock: Clock
  readonly log: Logger
}
