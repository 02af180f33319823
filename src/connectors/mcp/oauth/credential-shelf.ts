import { z } from 'zod'
import type { CredentialOwner } from '../../../core/authorisation.ts'
import { weirItself } from '../../../core/authorisation.ts'
import type { Credential, CredentialKey, CredentialStore } from '../../../core/stores.ts'

/** No header may hold anything else, and no token is longer. */
const token = z.string().regex(/^[\x21-\x7e]{1,16000}$/)

const tokensShape = z.object({
  /** The server they are for: where `url` has changed since, they are not sent. */
  server: z.string(),
  resource: z.string(),
  accessToken: token,
  refreshToken: token.optional(),
  /** Wall-clock milliseconds: other processes read it. */
  expiresAt: z.number().optional(),
  obtainedAt: z.number(),
  /** What was granted, and what was asked for. */
  scopes: z.array(z.string()),
  requested: z.array(z.string()),
  /** Who is renewing them at the moment, and until when at most. */
  lease: z.object({ by: z.string(), until: z.number() }).optional(),
})

/** One owner's tokens for one server. */
export type Tokens = Readonly<z.output<typeof tokensShape>>

const clientShape = z.object({
  clientId: z.string(),
  clientSecret: z.string().optional(),
  authMethod: z.string().optional(),
  redirectUri: z.string().optional(),
  /** Wall-clock milliseconds. */
  expiresAt: z.number().optional(),
})

/** Weir as one authorization server knows it. */
export type ClientIdentity = Readonly<z.output<typeof clientShape>>

/** Tokens as they stand in the store. */
export interface Held {
  readonly issuer: string
  readonly version: number
  readonly tokens: Tokens
}

/** What one connection keeps of its dealings with authorization servers, each thing under its issuer. */
export class CredentialShelf {
  readonly #store: CredentialStore
  readonly #connection: string
  readonly #server: string

  constructor(store: CredentialStore, connection: string, server: string) {
    this.#store = store
    this.#connection = connection
    this.#server = server
  }

  /** The owner's newest tokens for this server, of one issuer or of any. */
  async find(owner: CredentialOwner, issuer?: string): Promise<Held | undefined> {
    const all = await this.list(owner)
    return all
      .filter((held) => issuer === undefined || held.issuer === issuer)
      .sort((a, b) => b.tokens.obtainedAt - a.tokens.obtainedAt)[0]
  }

  /** All tokens of one owner that are for this server. */
  async list(owner: CredentialOwner): Promise<readonly Held[]> {
    const keys = (await this.keys('tokens')).filter((key) => isOf(key, owner))
    const held = await Promise.all(keys.map(({ issuer }) => this.get(owner, issuer)))
    return held.filter((one) => one !== undefined)
  }

  async get(owner: CredentialOwner, issuer: string): Promise<Held | undefined> {
    const found = await this.#store.get(this.#key(owner, issuer, 'tokens'))
    const tokens = parseAs(tokensShape, found)
    if (found === undefined || tokens?.server !== this.#server) return undefined
    return { issuer, version: found.version, tokens }
  }

  put(owner: CredentialOwner, issuer: string, tokens: Tokens, ifVersion?: number): Promise<boolean> {
    return this.#store.put(this.#key(owner, issuer, 'tokens'), JSON.stringify(tokens), ifVersion)
  }

  remove(owner: CredentialOwner, issuer: string): Promise<void> {
    return this.#store.remove(this.#key(owner, issuer, 'tokens'))
  }

  async client(issuer: string): Promise<ClientIdentity | undefined> {
    return parseAs(clientShape, await this.#store.get(this.#key(weirItself, issuer, 'client')))
  }

  async putClient(issuer: string, client: ClientIdentity): Promise<void> {
    await this.#store.put(this.#key(weirItself, issuer, 'client'), JSON.stringify(client))
  }

  removeClient(issuer: string): Promise<void> {
    return this.#store.remove(this.#key(weirItself, issuer, 'client'))
  }

  async keys(kind: 'tokens' | 'client'): Promise<readonly CredentialKey[]> {
    return (await this.#store.list(this.#connection)).filter((key) => key.kind === kind)
  }

  #key({ tenant, subject }: CredentialOwner, issuer: string, kind: string): CredentialKey {
    return { connection: this.#connection, tenant, subject, issuer, kind }
  }
}

function isOf(key: CredentialKey, owner: CredentialOwner): boolean {
  return key.tenant === owner.tenant && key.subject === owner.subject
}

/** What does not read as ours counts as absent: a person can obtain it again. */
function parseAs<S extends z.ZodType>(shape: S, found: Credential | undefined): z.output<S> | undefined {
  if (found === undefined) return undefined
  try {
    return shape.parse(JSON.parse(found.value))
  } catch {
    return undefined
  }
}
