import type { Approval, ApprovalRequest } from '../../core/approval.ts'
import type { Call, Run } from '../../core/call.ts'
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import { InputRequired, type Outcome } from '../../core/outcome.ts'
import { isObject } from '../../core/parse-json.ts'
import type { Stage } from '../../core/policy.ts'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import { type Continuation, createContinuations } from '../approvals/continuations.ts'
import { createCallReader } from '../approvals/describe-call.ts'

/** What calls are confirmed with. */
export interface ConfirmParts {
  readonly desk: ApprovalDesk
  readonly clock: Clock
  /** Covers the secrets of the configuration in what people are shown. */
  readonly redact: (text: string) => string
}

/** Where another call took the approval away, this one asks again, but not for ever. */
const attemptsMax = 3
/** What a client shows its user. */
const questionCharsMax = 2_000

/**
 * Asks somebody before the call runs (S14): whoever operates Weir, or the caller's own user. Nothing that goes wrong on
 * the way runs the call, and what was agreed to runs once.
 */
export function createConfirmStage({ desk, clock, redact }: ConfirmParts): Stage {
  const continuations = createContinuations(clock)

  const runApproved = async (call: Call, request: ApprovalRequest, next: Run): Promise<Outcome> => {
    const outcome = await next(call)
    if (outcome.kind !== 'input-required') return outcome
    // The tool asks its caller something, and will be run again with the answer: that is still the same call.
    const { questions, resume, abandon } = outcome.required
    const ours = continuations.put({ request, isApproved: true, resume, abandon })
    return { kind: 'input-required', required: new InputRequired(questions, ours, abandon) }
  }
  const askOperator = async (call: Call, request: ApprovalRequest, next: Run): Promise<Outcome> => {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const approval = await waitForDecision({ desk, clock }, call, request)
      if (approval.state === 'pending') return pendingOutcome(approval)
      if (approval.state === 'approved' && (await desk.use(approval.id))) {
        return runApproved(withoutAnswers(call), request, next)
      }
      if (approval.state === 'denied' || approval.state === 'expired') {
        await desk.dismiss(approval.id)
        throw refusal(approval)
      }
    }
    throw tooMany(request.tool)
  }
  const askClient = async (_call: Call, request: ApprovalRequest): Promise<Outcome> => {
    const ours = continuations.put({ request, isApproved: false })
    return { kind: 'input-required', required: new InputRequired(createQuestion(request), ours) }
  }
  const hearClient = async (call: Call, request: ApprovalRequest, next: Run): Promise<Outcome> => {
    const isYes = saysYes(call.answers?.responses['approve'])
    const by = { tenant: request.caller.tenant, subject: 'client' }
    const approval = await desk.note(request, { decision: isYes ? 'approved' : 'denied', by })
    if (!isYes) throw refusal(approval)
    return runApproved(withoutAnswers(call), request, next)
  }
  const goOn = (found: Continuation, call: Call, request: ApprovalRequest, next: Run) => {
    if (!found.isApproved) return hearClient(call, request, next)
    const answers = { responses: call.answers!.responses }
    const { resume } = found
    const answered = { ...call, answers: resume === undefined ? answers : { ...answers, resume } }
    return runApproved(answered, request, next)
  }
  return {
    name: 'confirm',
    wrap(entry, policy, next) {
      const { kind } = entry.target
      // Both belong to what was confirmed, or has no effect.
      if (policy.confirm === undefined || kind === 'completion' || kind === 'task-control') return next
      const read = createCallReader(entry, redact)
      const ask = policy.confirm === 'client' ? askClient : askOperator
      return async (call) => {
        const request = read(call)
        const resume = call.answers?.resume
        if (resume === undefined) return ask(call, request, next)
        const found = continuations.take(resume, request)
        if (found === undefined) throw lost(entry.id)
        return goOn(found, call, request, next)
      }
    },
  }
}

/** While a person decides, the call's deadline stands still. */
async function waitForDecision(
  { desk, clock }: Pick<ConfirmParts, 'desk' | 'clock'>,
  { cancellation }: Call,
  request: ApprovalRequest,
): Promise<Approval> {
  const approval = await desk.open(request)
  if (approval === undefined) throw tooMany(request.tool)
  if (approval.state !== 'pending') return approval
  cancellation.pauseDeadline(clock.monotonicMs())
  try {
    return await desk.hold(approval, cancellation)
  } finally {
    cancellation.resumeDeadline(clock.monotonicMs())
  }
}

/** Answers that nobody asked for were never part of what was agreed to. */
function withoutAnswers(call: Call): Call {
  const { answers, ...rest } = call
  return answers === undefined ? call : rest
}

function pendingOutcome({ id, tool, expiresAt }: Approval): Outcome {
  const pending = { tool, approvalId: id, expiresAt: new Date(expiresAt).toISOString() }
  return { kind: 'pending', pending }
}

function createQuestion({ tool, shown }: ApprovalRequest) {
  const cut = shown.length > questionCharsMax ? `${shown.slice(0, questionCharsMax)}… (cut)` : shown
  const approve = {
    type: 'boolean',
    title: 'Approve',
    description: `Whether ${tool} may run.`,
    default: false,
  }
  const requestedSchema = { type: 'object', properties: { approve }, required: ['approve'] }
  const params = { mode: 'form', message: `May ${tool} run with these arguments? ${cut}`, requestedSchema }
  return { approve: { method: 'elicitation/create', params } }
}

function saysYes(reply: unknown): boolean {
  if (!isObject(reply) || reply['action'] !== 'accept') return false
  return isObject(reply['content']) && reply['content']['approve'] === true
}

function refusal({ id, tool, state, reason }: Approval): WeirError {
  const isLate = state === 'expired'
  const why = reason === undefined ? '.' : `: ${reason}`
  const message = isLate ? `Nobody approved ${tool} in time.` : `${tool} was not approved${why}`
  return new WeirError('CONFIRMATION_DENIED', message, {
    hint: isLate
      ? 'Call it again to ask again.'
      : 'Do not call it again with these arguments unless told to.',
    data: { approvalId: id, state },
  })
}

function tooMany(tool: string): WeirError {
  return new WeirError('OVERLOADED', `Too many calls wait for approval; ${tool} cannot wait too.`, {
    hint: 'Call it again once some of them are decided.',
  })
}

function lost(id: string): WeirError {
  return new WeirError('RESUME_LOST', `The call of ${id} that asked this question is over.`, {
    hint: 'Call the tool again, without the answer.',
  })
}
