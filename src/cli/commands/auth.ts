import { openStores } from '../../app.ts'
import type { LoadedConfig } from '../../config/config.ts'
import {
  type Authorisation,
  type CredentialOwner,
  type GrantStatus,
  weirItself,
} from '../../core/authorisation.ts'
import type { OpenContext } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Stores } from '../../core/stores.ts'
import { chooseConnections } from '../choose-connections.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import { watchSignals } from '../interruption.ts'
import { createLoopbackPerson } from '../loopback-person.ts'
import { openBrowser } from '../open-browser.ts'
import type { Output } from '../output.ts'
import { readUser } from '../read-user.ts'
import { renderTable } from '../render-table.ts'
import { openSetup, type Setup } from '../setup.ts'

/** What the command line says beside the connection. */
export interface AuthOptions {
  readonly status?: boolean
  readonly revoke?: boolean
  readonly scope?: string
  readonly as?: string
  readonly tenant?: string
  readonly gateway?: boolean
}

/** What this command needs of the store. */
type Kept = Pick<Stores, 'credentials' | 'close'>

/** One connection that knows how to ask a person. */
interface Authorisable {
  readonly name: string
  readonly authorisation: Authorisation
}

/** `weir auth [connection]`: asks a person for consent, tells what was agreed to, or takes it back. */
export async function auth(
  context: CommandContext,
  options: AuthOptions,
  [only]: readonly string[],
  open: (...given: Parameters<typeof openStores>) => Kept = openStores,
): Promise<number> {
  refuseContradiction(options, only)
  const { signal } = watchSignals()
  const setup = await openSetup(context)
  const opened: Kept[] = []
  const found: Authorisable[] = []
  try {
    const loaded = await setup.load()
    const redact = (line: string) => loaded.secrets.redact(line)
    setup.base.log.configure({ ...loaded.config.log, level: 'warn', redact })
    opened.push(open(setup.base, loaded))
    const { credentials } = opened[0]!
    found.push(...findAuthorisable(setup, loaded, only, { signal, credentials }))
    return await act(found, options, only, signal, context.output)
  } finally {
    await Promise.all(found.map(({ authorisation }) => authorisation.close()))
    await setup.base.egress.close()
    await opened[0]?.close()
    await setup.close()
  }
}

async function act(
  found: readonly Authorisable[],
  options: AuthOptions,
  only: string | undefined,
  signal: AbortSignal,
  output: Output,
): Promise<number> {
  if (options.status === true) return showStatus(found, only !== undefined, output)
  const [one] = found
  if (one === undefined) throw needsNone(only!)
  if (options.revoke === true) return revoke(one, chooseOwner(one, options), signal, output)
  return authorise(one, options, signal, output)
}

function refuseContradiction(
  { status, revoke, as, gateway, tenant }: AuthOptions,
  only: string | undefined,
): void {
  if (only === undefined && status !== true) {
    throw misuse('Which connection?', '`weir auth --status` lists those that have agreements.')
  }
  if (status === true && revoke === true)
    throw misuse('--status and --revoke are two wishes.', 'Give one of them.')
  if (gateway === true && as !== undefined)
    throw misuse('--gateway and --as are two owners.', 'Give one of them.')
  if (tenant !== undefined && as === undefined)
    throw misuse('--tenant belongs to --as.', 'Name the caller too.')
}

function findAuthorisable(
  { base }: Setup,
  { config, baseDir }: LoadedConfig,
  only: string | undefined,
  shared: Pick<OpenContext, 'signal' | 'credentials'>,
): readonly Authorisable[] {
  return chooseConnections(Object.keys(config.connections), only).flatMap((name) => {
    const { type, config: own } = config.connections[name]!
    const connector = base.connectors.find((known) => known.type === type)!
    const authorisation = connector.authorisation?.(own, { name, baseDir, log: base.log, ...shared })
    return authorisation === undefined ? [] : [{ name, authorisation }]
  })
}

async function authorise(
  one: Authorisable,
  options: AuthOptions,
  signal: AbortSignal,
  output: Output,
): Promise<number> {
  const { name, authorisation } = one
  const owner = chooseOwner(one, options)
  const scopes = (options.scope ?? '').split(/\s+/).filter(Boolean)
  const person = createLoopbackPerson({ send: (url) => send(url, output) })
  const targets = await authorisation.authorise({ owner, person, scopes, signal })
  if (output.isJson) output.json({ connection: name, ...renderOwner(owner), targets })
  else output.text(`${name}: agreed; it offers ${targets} tools and other targets`)
  return exits.ok
}

/** Programs get the address too, as a line of its own, so that they can show it to somebody. */
function send(url: string, output: Output): void {
  output.tell('note', `Open this address in a browser on this machine, and agree there:\n\n  ${url}\n`)
  if (output.isTerminal && !output.isJson) openBrowser(url)
}

async function revoke(
  { name, authorisation }: Authorisable,
  owner: CredentialOwner,
  signal: AbortSignal,
  output: Output,
): Promise<number> {
  const forgotten = await authorisation.revoke(owner, signal)
  if (output.isJson) output.json({ connection: name, ...renderOwner(owner), forgotten: forgotten.length })
  else output.text(forgotten.length === 0 ? `${name}: there was nothing to take back` : `${name}: taken back`)
  return exits.ok
}

async function showStatus(found: readonly Authorisable[], isNamed: boolean, output: Output): Promise<number> {
  const all: (GrantStatus & { readonly connection: string })[] = []
  for (const { name, authorisation } of found) {
    for (const status of await authorisation.status()) all.push({ connection: name, ...status })
  }
  if (output.isJson) output.json({ agreements: all.map((status) => ({ ...status, ...renderOwner(status) })) })
  else if (all.length > 0) output.text(renderTable(all.map(renderRow), output.lineLimit))
  else output.note('Nothing has been agreed to.')
  const isLacking = (isNamed && all.length === 0) || all.some(({ state }) => state === 'expired')
  return isLacking ? exits.notAuthorized : exits.ok
}

function renderRow(status: GrantStatus & { readonly connection: string }): Readonly<Record<string, string>> {
  const { connection, issuer, scopes, state, expiresAt } = status
  return {
    connection,
    owner: status.subject === '' ? 'gateway' : status.subject,
    state,
    until: expiresAt === undefined ? '' : new Date(expiresAt).toISOString(),
    issuer,
    scopes: scopes.join(' '),
  }
}

/**
 * Where callers have their own accounts, whoever sits here agrees for themselves. What was agreed to under another
 * configuration can still be taken back.
 */
function chooseOwner(
  { name, authorisation: { isPerCaller } }: Authorisable,
  { as, tenant = 'default', gateway, revoke: isRevoked = false }: AuthOptions,
): CredentialOwner {
  if (gateway === true) return weirItself
  if (as !== undefined && (isPerCaller || isRevoked)) return { tenant, subject: as }
  if (as !== undefined) {
    throw misuse(
      `Everybody uses ${name} with the gateway's account.`,
      'Leave --as out, or set `auth.per` to caller.',
    )
  }
  return isPerCaller ? { tenant, subject: `local:${readUser()}` } : weirItself
}

function renderOwner({ tenant, subject }: CredentialOwner): object {
  return subject === '' ? { owner: 'gateway' } : { owner: 'caller', tenant, subject }
}

function needsNone(name: string): WeirError {
  return misuse(
    `The connection ${name} asks nobody for consent.`,
    'Only servers behind a `url` do, without an Authorization under `headers`, and not for client_credentials.',
  )
}

function misuse(message: string, hint: string): WeirError {
  return new WeirError('INVALID_PARAMS', message, { hint })
}
