import { type AuditDraft, encodeDraft } from '../../core/audit.ts'

/** A whole call, as a stage would note it. */
export function draftOf(changed: Partial<AuditDraft> = {}): string {
  return encodeDraft({
    kind: 'call',
    at: 1_800_000_000_000,
    call: 'boot-1',
    subject: 'local:ada',
    tenant: 'default',
    via: 'mcp',
    tool: 'mail:send',
    definition: 'd',
    effect: 'write',
    input: { to: 'bob@example.com' },
    decision: 'allowed',
    rule: 'role "clerk" allows tool:mail:*',
    approval: 'a-1',
    idempotencyKey: 'k-1',
    outcome: 'ok',
    error: 'NONE',
    durationUs: 1_500,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    thought: 'Bob asked for it.',
    step: 'SENDING',
    count: 1,
    ...changed,
  })
}
