import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { Approval, ApprovalState, ApprovalStore, Verdict } from '../../core/approval.ts'
import { renderError, WeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { isObject, parseJson } from '../../core/parse-json.ts'
import { readHttpError } from '../shared/http-server.ts'
import { requireOperator } from './require-operator.ts'
import { serveReload } from './serve-reload.ts'

/** What operators reach over HTTP, and how they are known. */
export interface AdminParts {
  readonly approvals: Pick<ApprovalStore, 'find' | 'list' | 'decide'>
  /** Takes the configuration file over, or says what that would change; absent where there is none. */
  readonly reload?: ((isDryRun: boolean) => Promise<unknown>) | undefined
  readonly log: Logger
}

const reasonCharsMax = 500
const states: readonly ApprovalState[] = ['pending', 'approved', 'denied', 'used', 'expired']

/** The admin API, `/api/admin/…`. Every route needs `admin:approvals`, which whoever asked for a call never has over it. */
export function admin(server: FastifyInstance, parts: AdminParts): void {
  const { approvals } = parts
  const options = optionsOf('admin:approvals', parts.log)
  const { reload } = parts
  if (reload !== undefined) serveReload(server, reload, optionsOf('admin:reload', parts.log))
  server.get('/api/admin/approvals', options, async (request) => {
    requireOperator(request)
    const found = await approvals.list(readState(request.query))
    return { approvals: found.map(render) }
  })
  server.get<{ Params: { id: string } }>('/api/admin/approvals/:id', options, async (request) => {
    requireOperator(request)
    return render(await find(approvals, request.params.id))
  })
  for (const [path, decision] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    server.post<{ Params: { id: string } }>(`/api/admin/approvals/:id/${path}`, options, async (request) => {
      const by = requireOperator(request)
      return decide(parts, request.params.id, { decision, by, ...readReason(request.body) })
    })
  }
}

/** What the routes of one permission have in common. */
function optionsOf(access: `admin:${string}`, log: Logger): RouteShorthandOptions {
  return {
    config: { access },
    errorHandler(thrown: unknown, _request: FastifyRequest, reply: FastifyReply): void {
      const error = readHttpError(thrown, log)
      void reply.code(error.spec.http).send({ error: renderError(error) })
    },
  }
}

async function decide({ approvals, log }: AdminParts, id: string, verdict: Verdict): Promise<unknown> {
  const before = await find(approvals, id)
  const { by, decision } = verdict
  if (before.caller.tenant === by.tenant && before.caller.subject === by.subject) {
    throw new WeirError('OPERATOR_ONLY', 'Nobody decides on a call of their own.', {
      hint: 'Ask somebody else who may.',
    })
  }
  const isDecided = await approvals.decide(id, verdict)
  const approval = await find(approvals, id)
  if (!isDecided) {
    throw new WeirError('APPROVAL_CLOSED', `The approval is ${approval.state} already.`, {
      hint: 'Nothing was changed.',
      data: { state: approval.state },
    })
  }
  log.info({ event: 'approval.decided', approval: id, decision, by: by.subject }, 'An approval was decided.')
  return render(approval)
}

async function find(approvals: AdminParts['approvals'], id: string): Promise<Approval> {
  const [approval] = await approvals.find([id])
  if (approval !== undefined) return approval
  throw new WeirError('APPROVAL_NOT_FOUND', 'There is no such approval.', {
    hint: 'GET /api/admin/approvals lists them.',
  })
}

function readState(query: unknown): ApprovalState | undefined {
  const given = isObject(query) ? query['state'] : undefined
  const state = states.find((one) => one === given)
  if (given === undefined || state !== undefined) return state
  throw new WeirError('INVALID_REQUEST', '"state" is none that an approval can have.', {
    hint: `Use one of ${states.join(', ')}.`,
  })
}

/** A body is optional, and may hold a reason. */
function readReason(body: unknown): { readonly reason?: string } {
  if (typeof body !== 'string' || body === '') return {}
  const parsed = parseJson(body)
  const { reason, ...rest } = isObject(parsed) ? parsed : { parsed }
  const isReason = reason === undefined || (typeof reason === 'string' && reason.length <= reasonCharsMax)
  if (!isReason || Object.keys(rest).length > 0) {
    throw new WeirError('INVALID_REQUEST', 'The body is no {"reason": "…"}.', {
      hint: `Send nothing, or a reason of at most ${reasonCharsMax} characters.`,
    })
  }
  return typeof reason === 'string' ? { reason } : {}
}

/** snake_case, as the REST dialect has it. */
function render(approval: Approval): unknown {
  const { id, tool, state, caller, shown, digest, createdAt, expiresAt, decidedAt, decidedBy, reason } =
    approval
  return {
    ...{ id, tool, state, caller, arguments_shown: shown, arguments_digest: digest },
    ...{ created_at: dateOf(createdAt), expires_at: dateOf(expiresAt) },
    ...(decidedAt === undefined ? {} : { decided_at: dateOf(decidedAt) }),
    ...(decidedBy === undefined ? {} : { decided_by: decidedBy }),
    ...(reason === undefined ? {} : { reason }),
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString()
}
