/**
 * Who asks. Made once per request by a frontend and never empty: a failed
 * authentication is an error, not a Caller without a name.
 */
export interface Caller {
  /** Who, with how we know: `local:ada` (this machine's user), `cli:ada`, `jwt:…`, `key:…`. */
  readonly subject: string
  /** The caller's realm. Every key that holds a caller's data carries it beside the subject. */
  readonly tenant: string
  /** What it may do; absent: nothing (fail closed). One object for all callers of the same rights. */
  readonly grants?: Grants
}

/** The rights of a caller. Deciding may take its time: who asks keeps the answer, by target and by Grants. */
export interface Grants {
  /** `permission` is `tool:{connection}:{tool}`, `resource:{connection}:{uri}`, `prompt:{connection}:{name}` or one of Weir's own, `admin:…`. */
  decide(permission: string): Decision
  /** The toolset that these callers get where they name none. */
  readonly toolset?: string
}

/** Whether, and by which rule: `role "analyst" allows tool:database:*`, `nothing allows it`. */
export interface Decision {
  readonly isAllowed: boolean
  readonly rule: string
}

/** The rights of this machine's user, where no authentication is configured, and of the command line. */
export const everything: Grants = Object.freeze({
  decide: (): Decision => ({ isAllowed: true, rule: 'this machine’s user may do everything' }),
})
