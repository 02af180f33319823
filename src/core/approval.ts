/** Who asks or decides: a realm and a name in it. Every Caller is one. */
export interface Party {
  readonly tenant: string
  readonly subject: string
}

/**
 * How an approval stands. `pending`: nobody has decided. `approved`: the call may run, once. `denied`: it may not.
 * `used`: it ran. `expired`: its time ended before it was decided, or before it was used.
 */
export type ApprovalState = 'pending' | 'approved' | 'denied' | 'used' | 'expired'

/** One call that waits for somebody to agree: exactly these arguments, for exactly this caller (S14). */
export interface ApprovalRequest {
  /** `{connection}:{tool}`. */
  readonly tool: string
  /** SHA-256 of what the tool said it does when the call was made. */
  readonly definitionHash: string
  /** SHA-256 of the arguments in canonical form. */
  readonly digest: string
  /** The arguments as the person who decides sees them: secrets covered, long ones cut. */
  readonly shown: string
  readonly caller: Party
}

/** A request with what became of it. */
export interface Approval extends ApprovalRequest {
  /** Unguessable. Whoever has it can ask for the call again, and decide nothing. */
  readonly id: string
  readonly state: ApprovalState
  /** Wall-clock milliseconds. */
  readonly createdAt: number
  readonly expiresAt: number
  readonly decidedAt?: number
  /** `operator:ada`, the subject of an authenticated caller, or `client` where the caller’s own user was asked. */
  readonly decidedBy?: string
  /** Why it was denied, in the words of whoever did. */
  readonly reason?: string
}

/** What somebody says about a request. */
export interface Verdict {
  readonly decision: 'approved' | 'denied'
  readonly by: Party
  readonly reason?: string
}

/** Approvals. Each change is one step that happens or does not, whoever else tries the same at that moment. */
export interface ApprovalStore {
  /**
   * The one that stands for the same call and was not collected yet, or else a new one, pending until `expiresAt`.
   * Undefined where as many as may be wait already, of this caller or in all.
   */
  open(request: ApprovalRequest, expiresAt: number): Promise<Approval | undefined>
  /** Notes a request that was decided on the spot. */
  note(request: ApprovalRequest, verdict: Verdict): Promise<Approval>
  /** In no order; those that are not there are passed over. */
  find(ids: readonly string[]): Promise<readonly Approval[]>
  /** The newest first; of one state, or of all. */
  list(state?: ApprovalState): Promise<readonly Approval[]>
  /** Whether this decided it: false where it was decided before, has expired, or is the decider’s own. */
  decide(id: string, verdict: Verdict): Promise<boolean>
  /** Uses up what is approved. True for exactly one of all who try. */
  use(id: string): Promise<boolean>
  /** Notes that its requester heard of the denial or the end, so that the same call begins anew. */
  dismiss(id: string): Promise<void>
}
