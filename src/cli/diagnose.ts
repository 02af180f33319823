import { isIP } from 'node:net'
import { isRecord } from '../config/path.ts'
import type { AnyConnector, Connection } from '../core/connector.ts'
import { toWeirError, type WeirError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import type { CredentialStore } from '../core/stores.ts'
import { isTool } from '../core/tool.ts'

/** What a connection passes on its way to an answer, in this order. */
export const stageNames = [
  'config',
  'env',
  'command',
  'dns',
  'tcp',
  'tls',
  'auth',
  'era',
  'list',
  'check',
] as const
export type StageName = (typeof stageNames)[number]

/** How one stage went. `ms` is there where it was measured: opening passes several stages in one go. */
export interface Stage {
  readonly stage: StageName
  readonly state: 'ok' | 'failed' | 'skipped'
  readonly ms?: number
  readonly message?: string
  readonly cure?: string
}

/** The connection to look at; its configuration has been checked. */
export interface Patient {
  readonly name: string
  readonly config: unknown
  readonly connector: AnyConnector
  readonly baseDir: string
  /** What Weir obtained for it itself. */
  readonly credentials?: CredentialStore | undefined
  readonly signal: AbortSignal
}

const checkMaxMs = 10_000
const lastWordsCharsMax = 300

/** Opens the connection as Weir would, asks it for a sign of life, and closes it again. Never rejects. */
export async function diagnose(patient: Patient): Promise<readonly Stage[]> {
  const { connector, config, name, baseDir, credentials, signal } = patient
  const passed = listPassed(config)
  const hearing = listen()
  let startMs = performance.now()
  let connection: Connection | undefined
  try {
    const kept = credentials === undefined ? {} : { credentials }
    connection = await connector.open(config, { name, baseDir, log: hearing.log, signal, ...kept })
    const openMs = elapsed(startMs)
    const tools = connection.targets().filter(isTool).length
    startMs = performance.now()
    const ok = (checked: Partial<Stage>) =>
      report([...passed, 'list'], {
        list: { ms: openMs, message: tools === 1 ? '1 tool' : `${tools} tools` },
        check: checked,
      })
    try {
      await connection.check(AbortSignal.any([signal, AbortSignal.timeout(checkMaxMs)]))
      return ok({ state: 'ok', ms: elapsed(startMs) })
    } catch (thrown) {
      return ok({ state: 'failed', ms: elapsed(startMs), ...explain(thrown, '') })
    }
  } catch (thrown) {
    const failed = locate(toWeirError(thrown), passed)
    const before = passed.slice(0, Math.max(passed.indexOf(failed), 0))
    const failure = {
      state: 'failed',
      ms: elapsed(startMs),
      ...explain(thrown, hearing.lastWords()),
    } as const
    return report(before, { [failed]: failure })
  } finally {
    await connection?.close().catch(() => {})
  }
}

/** The stages that opening such a connection passes before it can list. */
function listPassed(config: unknown): readonly StageName[] {
  const { command, url } = isRecord(config) ? config : {}
  const start = ['config', 'env'] as const
  if (typeof command === 'string') return [...start, 'command', 'era']
  if (typeof url !== 'string' || !URL.canParse(url)) return start
  const { hostname, protocol } = new URL(url)
  const isNumber = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
  return [
    ...start,
    ...(isNumber ? [] : (['dns'] as const)),
    'tcp',
    ...(protocol === 'https:' ? (['tls'] as const) : []),
    'auth',
    'era',
  ]
}

const nameFailures = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL'])
const connectFailures = new Set(
  'ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENETUNREACH ECONNRESET UND_ERR_CONNECT_TIMEOUT'.split(' '),
)
const tlsFailure = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO/

/** Which stage an opening got stuck in, by what its error says of itself. */
function locate(error: WeirError, passed: readonly StageName[]): StageName {
  const code = String(error.data?.['cause'] ?? '')
  if (error.code === 'CONFIG_INVALID') return 'config'
  if (error.code === 'UPSTREAM_AUTH') return 'auth'
  if (error.code === 'ADDRESS_NOT_ALLOWED') return 'tcp'
  if (!passed.includes('tcp')) return locateHere(error, passed)
  if (nameFailures.has(code)) return 'dns'
  if (tlsFailure.test(code)) return 'tls'
  return connectFailures.has(code) ? 'tcp' : 'era'
}

/** A program that never ran has no protocol; every other system fails where it is asked for what it has. */
function locateHere({ cause }: WeirError, passed: readonly StageName[]): StageName {
  if (!passed.includes('command')) return 'list'
  const isUnstarted = cause instanceof Error && 'syscall' in cause
  return isUnstarted ? 'command' : 'era'
}

type Findings = Readonly<Partial<Record<StageName, Partial<Stage>>>>

function report(ok: readonly StageName[], findings: Findings): readonly Stage[] {
  return stageNames.map((stage) => ({
    stage,
    state: ok.includes(stage) ? 'ok' : 'skipped',
    ...findings[stage],
  }))
}

function explain(thrown: unknown, lastWords: string): Pick<Stage, 'message' | 'cure'> {
  const error = toWeirError(thrown)
  const message = error.code === 'INTERNAL' && thrown instanceof Error ? thrown.message : error.message
  const hint = error.code === 'INTERNAL' ? undefined : error.hint
  const isExit = error.code === 'UPSTREAM_EXITED'
  return {
    message: lastWords === '' ? message : `${message} Its last words: ${lastWords}`,
    cure: isExit
      ? 'Run the command yourself, with the same variables, to see why it ends.'
      : (hint ?? 'Check its settings, and that the system it names is running.'),
  }
}

/** Hears what a program wrote before it ended, which connectors tell their log only. */
function listen(): { readonly log: Logger; lastWords(): string } {
  let heard = ''
  const ignore = () => {}
  const warn: Logger['warn'] = (fields) => {
    if ('stderr' in fields && typeof fields.stderr === 'string') heard = fields.stderr
  }
  return {
    log: { debug: ignore, info: ignore, warn, error: ignore },
    lastWords: () => heard.trim().slice(-lastWordsCharsMax),
  }
}

function elapsed(startMs: number): number {
  return Math.round(performance.now() - startMs)
}
