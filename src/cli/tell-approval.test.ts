import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Approval } from '../core/approval.ts'
import { createOutput } from './output.ts'
import { createApprovalTeller } from './tell-approval.ts'

const { isTTY } = process.stderr
afterEach(() => {
  vi.restoreAllMocks()
  Object.assign(process.stderr, { isTTY })
})

const approval: Approval = {
  ...{ id: '3f9c', tool: 'mail:send', definitionHash: 'd', digest: 'e', state: 'pending' },
  caller: { tenant: 'default', subject: 'local:ada' },
  shown: `{"to":"bob\u202e\n${'x'.repeat(500)}"}`,
  ...{ createdAt: 1, expiresAt: 2 },
}

function tell(isTerminal: boolean, isJson = false): string {
  Object.assign(process.stderr, { isTTY: isTerminal })
  const written: unknown[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(text) > 0)
  createApprovalTeller(createOutput(isJson))?.(approval)
  return written.join('')
}

describe('S14: a call that waits', () => {
  it('is told on the operator’s terminal in one line, with what approves it', () => {
    const line = tell(true)
    expect(line).toMatch(
      /^local:ada waits for approval of mail:send .{1,130}: weir approvals approve 3f9c\n$/,
    )
    expect(line).toContain('<U+202E>')
  })

  it('is told nowhere else', () => {
    expect([tell(false), tell(true, true)]).toEqual(['', ''])
  })
})
