import type { Approval, ApprovalState, ApprovalStore, Verdict } from '../../core/approval.ts'
import { WeirError } from '../../core/error.ts'
import { showHidden } from '../../core/hidden-text.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import { openCommandStores } from '../open-command-stores.ts'
import type { Output } from '../output.ts'
import { readUser } from '../read-user.ts'
import { renderTable } from '../render-table.ts'

/** Of the arguments in a list; one approval alone is shown whole. */
const rowCharsMax = 100

type Act<O> = (context: CommandContext, options: O, words: readonly string[]) => Promise<number>
type Work<O> = (approvals: ApprovalStore, output: Output, options: O, id: string) => Promise<number>

/** Does it on the configured store, whether a Weir runs or not: whoever can write there operates it. */
const over =
  <O>(work: Work<O>): Act<O> =>
  async (context, options, [id = '']) => {
    const { stores, close } = await openCommandStores(context)
    try {
      return await work(stores.approvals, context.output, options, id)
    } finally {
      await close()
    }
  }

/** `weir approvals`: what waits, or with `--all` everything that is kept. */
export const listApprovals = over<{ readonly all?: boolean }>(async (approvals, output, { all = false }) => {
  const found = await approvals.list(all ? undefined : 'pending')
  if (output.isJson) {
    output.json({ approvals: found.map(describe) })
    return exits.ok
  }
  if (found.length === 0) output.note('Nothing waits for approval.')
  else output.text(renderTable(found.map(renderRow), output.lineLimit))
  if (found.some(({ state }) => state === 'pending')) {
    output.note('See `weir approvals show <id>`, then `weir approvals approve <id>` or `deny <id>`.')
  }
  return exits.ok
})

/** `weir approvals show`: exactly what would run. */
export const showApproval = over<object>(async (approvals, output, _options, id) => {
  const approval = await find(approvals, id)
  if (output.isJson) output.json(describe(approval))
  else output.text(renderWhole(approval))
  return exits.ok
})

/** `weir approvals approve`: the call runs, or the next that is the same does, once. */
export const approve = over<object>((approvals, output, _options, id) =>
  decide(approvals, output, id, { decision: 'approved', by: operator() }),
)

/** `weir approvals deny`: the call is refused, with the reason. */
export const deny = over<{ readonly reason?: string }>((approvals, output, { reason }, id) =>
  decide(approvals, output, id, {
    ...{ decision: 'denied', by: operator() },
    ...(reason === undefined ? {} : { reason }),
  }),
)

function operator(): Verdict['by'] {
  return { tenant: '', subject: `operator:${readUser()}` }
}

async function decide(
  approvals: ApprovalStore,
  output: Output,
  id: string,
  verdict: Verdict,
): Promise<number> {
  const isDecided = await approvals.decide(id, verdict)
  const approval = await find(approvals, id)
  if (!isDecided) throw closed(approval)
  if (output.isJson) output.json(describe(approval))
  else output.text(`${verdict.decision} ${approval.tool} (${approval.id})`)
  return exits.ok
}

async function find(approvals: ApprovalStore, id: string): Promise<Approval> {
  const [approval] = await approvals.find([id])
  if (approval !== undefined) return approval
  throw new WeirError('APPROVAL_NOT_FOUND', `There is no approval ${JSON.stringify(id.slice(0, 100))}.`, {
    hint: '`weir approvals` lists those that wait, `weir approvals --all` the others too.',
  })
}

const became: Readonly<Record<ApprovalState, string>> = {
  pending: 'could not be decided',
  approved: 'was approved before',
  denied: 'was denied before',
  used: 'was approved before, and the call ran',
  expired: 'has expired',
}

function closed({ id, state, decidedBy }: Approval): WeirError {
  const by = decidedBy === undefined ? '' : ` (by ${decidedBy})`
  return new WeirError('APPROVAL_CLOSED', `The approval ${id} ${became[state]}${by}.`, {
    hint: 'Nothing was changed.',
  })
}

function renderRow(approval: Approval): Readonly<Record<string, string>> {
  const { id, tool, state, caller, shown, expiresAt } = approval
  const expires = dateOf(expiresAt)
  const text = showHidden(shown)
  const cut = text.length > rowCharsMax ? `${text.slice(0, rowCharsMax)}…` : text
  return { id, tool, state, caller: caller.subject, expires, arguments: cut }
}

function renderWhole({ id, tool, state, caller, shown, ...rest }: Approval): string {
  const lines: [string, string | undefined][] = [
    ['id', id],
    ['tool', tool],
    ['state', state],
    ['caller', `${caller.subject} (${caller.tenant})`],
    ['created', dateOf(rest.createdAt)],
    ['expires', dateOf(rest.expiresAt)],
    ['decided', rest.decidedAt === undefined ? undefined : dateOf(rest.decidedAt)],
    ['by', rest.decidedBy],
    ['reason', rest.reason],
    ['arguments', shown],
  ]
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(11)}${showHidden(value!)}`)
    .join('\n')
}

/** For programs: times as dates. */
function describe({ createdAt, expiresAt, decidedAt, ...rest }: Approval) {
  return {
    ...rest,
    ...{ createdAt: dateOf(createdAt), expiresAt: dateOf(expiresAt) },
    ...(decidedAt === undefined ? {} : { decidedAt: dateOf(decidedAt) }),
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString()
}
