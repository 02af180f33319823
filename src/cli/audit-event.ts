import type { AuditRecord } from '../core/audit.ts'
import { readVersion } from './read-version.ts'

/** The version of the schema that the fields are from. */
const schemaVersion = '1.3.0'
const categoryUid = 6
const classUid = 6003

const activities = {
  unknown: [0, 'Unknown'],
  read: [2, 'Read'],
  'idempotent-write': [3, 'Update'],
  write: [3, 'Update'],
  destructive: [4, 'Delete'],
  other: [99, 'Other'],
} as const

/** A record as an event of the Open Cybersecurity Schema Framework: API Activity, class 6003. */
export function toOcsf(record: AuditRecord): Record<string, unknown> {
  const { call, at, subject, tenant, via, tool, trace, error, durationUs, kind } = record
  const [activityId, activityName] = activities[record.effect ?? (tool === null ? 'other' : 'unknown')]
  const [statusId, status] = statusOf(record)
  return omitNull({
    metadata: omitNull({
      version: schemaVersion,
      product: { name: 'Weir', vendor_name: 'Weir', version: readVersion() },
      log_name: 'audit',
      uid: `${record.chain}:${record.seq}`,
      sequence: record.seq,
      correlation_uid: trace ?? call,
    }),
    time: at,
    category_uid: categoryUid,
    category_name: 'Application Activity',
    class_uid: classUid,
    class_name: 'API Activity',
    activity_id: activityId,
    activity_name: activityName,
    type_uid: classUid * 100 + activityId,
    severity_id: record.outcome === 'denied' ? 3 : 1,
    severity: record.outcome === 'denied' ? 'Medium' : 'Informational',
    status_id: statusId,
    status,
    status_code: error,
    status_detail: record.outcome,
    duration: durationUs === null ? null : Math.round(durationUs / 1_000),
    count: record.count !== null && kind !== 'pruned' ? record.count : null,
    actor: { user: omitNull({ uid: subject ?? 'weir', name: subject ?? 'weir', domain: tenant }) },
    api: omitNull({
      operation: tool ?? kind,
      service: { name: tool === null ? 'weir' : connectionOf(tool) },
      request: omitNull({ uid: call ?? `${record.chain}:${record.seq}`, data: dataOf(record) }),
      response: error === null ? null : { error },
    }),
    src_endpoint: { svc_name: via ?? 'weir' },
    unmapped: omitNull({
      kind,
      arguments_sha256: record.digest,
      definition_sha256: record.definition,
      decision: record.decision,
      rule: record.rule,
      approval: record.approval,
      idempotency_key: record.idempotencyKey,
      thought: record.thought,
      current_step: record.step,
      hash: record.hash,
    }),
  })
}

function statusOf({ outcome, kind }: AuditRecord): readonly [number, string] {
  if (outcome === null) return kind === 'intent' ? [0, 'Unknown'] : [99, 'Other']
  return outcome === 'failed' || outcome === 'denied' || outcome === 'tool-error'
    ? [2, 'Failure']
    : [1, 'Success']
}

function dataOf({ arguments: text }: AuditRecord): unknown {
  return text === null ? null : { arguments: text }
}

/** `connection:tool`, `resource:connection:uri`, `prompt:connection:name`. */
function connectionOf(tool: string): string {
  const [first = '', second = ''] = tool.split(':')
  return first === 'resource' || first === 'prompt' ? second : first
}

function omitNull(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}
