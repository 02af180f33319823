import { type CredentialOwner, weirItself } from '../../../core/authorisation.ts'
import { WeirError, type WeirErrorOptions } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { OAuthAnswer } from './oauth-http.ts'

const quotedCharsMax = 300

/** The server wants a token, and this is why there is none. Nothing of the call has been run. */
export function authError(message: string, options: WeirErrorOptions = {}): WeirError {
  return new WeirError('UPSTREAM_AUTH', message, { ...options, data: { ...options.data, sent: false } })
}

/** What is said of an answer that refuses: its status and error. Its own words stay out: they may quote a secret. */
export function refusedBy(what: string, url: string, answer: OAuthAnswer): WeirError {
  const error = readErrorCode(answer)
  const said = error === undefined ? '' : `, ${error}`
  return authError(`${new URL(url).origin} refused ${what} with status ${answer.status}${said}.`, {
    data: { status: answer.status, ...(error === undefined ? {} : { error }) },
  })
}

/** The OAuth error code of an answer; undefined where it has none. */
export function readErrorCode({ json }: Pick<OAuthAnswer, 'json'>): string | undefined {
  const error = isObject(json) ? json['error'] : undefined
  return typeof error === 'string' && /^[\x20-\x7e]{1,100}$/.test(error) ? error : undefined
}

/** Somebody's words, cut and without what terminals obey. */
export function clip(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ')
  return plain.length <= quotedCharsMax ? plain : `${plain.slice(0, quotedCharsMax)}…`
}

/** A connection, whose credential it is, and what it lacks. */
export interface Need {
  readonly connection: string
  readonly owner: CredentialOwner
  readonly isPerCaller: boolean
  readonly scopes?: readonly string[]
}

/** Nobody but a person can help: with this command. */
export function needsPerson(message: string, need: Need, cause?: unknown): WeirError {
  const { connection, owner, isPerCaller, scopes = [] } = need
  const args = [connection, ...renderOwner(owner, isPerCaller)]
  if (scopes.length > 0) args.push('--scope', scopes.join(' '))
  const command = ['weir', 'auth', ...args]
  return authError(message, {
    hint: `Run \`${command.map(quote).join(' ')}\` on the machine where Weir runs.`,
    data: { connection, command, ...(isPerCaller && owner !== weirItself ? { subject: owner.subject } : {}) },
    cause,
  })
}

function renderOwner(owner: CredentialOwner, isPerCaller: boolean): readonly string[] {
  if (!isPerCaller) return []
  if (owner.subject === '') return ['--gateway']
  return owner.tenant === 'default'
    ? ['--as', owner.subject]
    : ['--as', owner.subject, '--tenant', owner.tenant]
}

/** For shells: people paste this, and a server had a say in some of it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
