import type { AuditRecord, AuditStore, AuditVerdict } from '../../core/audit.ts'
import { WeirError } from '../../core/error.ts'
import { toOcsf } from '../audit-event.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import { type AuditedCall, listAuditedCalls } from '../list-audited-calls.ts'
import { drainOutput, type Output } from '../output.ts'
import { renderTable } from '../render-table.ts'

/** The audit of the configured store, for as long as a command runs. */
interface OpenAudit {
  readonly audit: AuditStore
  close(): Promise<void>
}
type Act<O> = (context: CommandContext, options: O, words: readonly string[]) => Promise<number>

interface ListOptions {
  readonly tool?: string
  readonly caller?: string
  readonly since?: string
  readonly limit?: string
}

interface VerifyOptions {
  readonly head?: string
}

interface ExportOptions {
  readonly format?: string
  readonly since?: string
}

/** What `weir audit`, `weir audit verify` and `weir audit export` do. */
interface AuditCommands {
  readonly list: Act<ListOptions>
  readonly verify: Act<VerifyOptions>
  readonly export: Act<ExportOptions>
}

const limitDefault = 50
const limitMax = 10_000
const progressMs = 2_000
const pageRows = 1_000

/** Commands over the audit that `openAudit` opens. */
export function createAuditCommands(
  openAudit: (context: CommandContext) => Promise<OpenAudit>,
  now: () => number = Date.now,
): AuditCommands {
  const over =
    <O>(act: (audit: AuditStore, output: Output, options: O, now: number) => Promise<number>): Act<O> =>
    async (context, options) => {
      const opened = await openAudit(context)
      try {
        return await act(opened.audit, context.output, options, now())
      } finally {
        await opened.close()
      }
    }
  return { list: over(list), verify: over(verify), export: over(exportRecords) }
}

async function list(
  audit: AuditStore,
  output: Output,
  { tool, caller, since, limit }: ListOptions,
  now: number,
): Promise<number> {
  const filter = { tool, subject: caller, sinceMs: readSince(since, now) }
  const calls = await listAuditedCalls(audit, filter, readLimit(limit))
  if (output.isJson) output.json({ calls: calls.map(describeCall) })
  else if (calls.length === 0) output.note('The audit holds no such call.')
  else output.text(renderTable(calls.map(renderCall), { ...output.lineLimit, cellCharsMax: 200 }))
  return exits.ok
}

function renderCall(call: AuditedCall): Readonly<Record<string, unknown>> {
  const { at, subject, tool, outcome, error, durationUs, count, kind } = call
  const times = count === null || count === 1 || kind === 'pruned' ? '' : ` ×${count}`
  return {
    time: new Date(at).toISOString(),
    caller: subject ?? '',
    tool: tool ?? '',
    outcome: `${error ?? outcome}${times}`,
    ms: durationUs === null ? '' : Math.round(durationUs / 100) / 10,
    arguments: call.arguments ?? '',
  }
}

function describeCall({ at, ...call }: AuditRecord): Record<string, unknown> {
  const known = Object.entries(call).filter(([, value]) => value !== null)
  return { time: new Date(at).toISOString(), ...Object.fromEntries(known) }
}

async function verify(audit: AuditStore, output: Output, { head }: VerifyOptions): Promise<number> {
  let toldMs = performance.now()
  const onProgress = (rows: number) => {
    const nowMs = performance.now()
    if (nowMs - toldMs < progressMs) return
    toldMs = nowMs
    output.note(`${rows} records checked so far …`)
  }
  const verdict = await audit.verify({ head, onProgress })
  if (output.isJson) output.json(describeVerdict(verdict))
  const { fault, isHeadKept, rows, chains } = verdict
  if (fault !== undefined || isHeadKept === false) {
    const what =
      fault === undefined
        ? `the head ${head} is in no chain any more`
        : `${fault.what} (chain ${fault.chain})`
    if (!output.isJson) output.text(`tampered: ${what}`)
    return exits.toolError
  }
  if (output.isJson) return exits.ok
  output.text(`ok: ${rows} records are as they were written`)
  for (const { chain, head: at } of chains) output.text(`chain ${chain}: head ${at.seq} ${at.hash}`)
  if (chains.length > 0) {
    output.note(
      'Keep the hash elsewhere: `weir audit verify --head <hash>` then shows that nothing before it was rewritten.',
    )
  }
  return exits.ok
}

function describeVerdict({ chains, rows, fault, isHeadKept }: AuditVerdict): Record<string, unknown> {
  return {
    ok: fault === undefined && isHeadKept !== false,
    rows,
    chains,
    ...(fault === undefined ? {} : { fault }),
    ...(isHeadKept === undefined ? {} : { isHeadKept }),
  }
}

/** Lines of JSON, page by page: as long as the audit is, it never stands in memory whole. */
async function exportRecords(
  audit: AuditStore,
  output: Output,
  { format = 'jsonl', since }: ExportOptions,
  now: number,
): Promise<number> {
  if (format !== 'jsonl' && format !== 'ocsf') {
    throw invalid(`There is no format ${JSON.stringify(format.slice(0, 50))}.`, 'Use jsonl or ocsf.')
  }
  const render = format === 'ocsf' ? toOcsf : (record: AuditRecord) => record
  const sinceMs = readSince(since, now)
  for (const { chain } of await audit.chains()) {
    let after: number | undefined
    for (;;) {
      const page = await audit.read({ chain, isNewestFirst: false, limit: pageRows, after, sinceMs })
      if (page.length === 0) break
      after = page.at(-1)!.seq
      output.text(page.map((record) => JSON.stringify(render(record))).join('\n'))
      await drainOutput()
    }
  }
  return exits.ok
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 }

/** A time of its own, or a length of time before now. */
function readSince(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (unit !== undefined) return now - Number(number) * unitMs[unit]!
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw invalid(
    `--since ${JSON.stringify(text.slice(0, 50))} is no time.`,
    'Write 30m, 24h, 7d, or 2026-11-29T12:00:00Z.',
  )
}

function readLimit(text = String(limitDefault)): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= limitMax) return limit
  throw invalid(
    `--limit ${JSON.stringify(text.slice(0, 50))} is no number from 1 to ${limitMax}.`,
    'Use `weir audit export` for everything.',
  )
}

function invalid(message: string, hint: string): WeirError {
  return new WeirError('INVALID_PARAMS', message, { hint })
}
