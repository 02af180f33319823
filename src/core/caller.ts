/**
 * Who asks. Made once per request by a frontend and never empty: a failed
 * authentication is an error, not a Caller without a name.
 */
export interface Caller {
  /** Who, with how we know: `local:ada` (this machine's user), `cli:ada`. */
  readonly subject: string
  /** The caller's realm. Every key that holds a caller's data carries it beside the subject. */
  readonly tenant: string
}
