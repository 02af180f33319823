/** One place that breaks one rule: which, where, and what to do about it. */
export interface Finding {
  readonly rule: string
  readonly path: string
  readonly line: number
  readonly message: string
}

/** `src/a.ts:3 [rule] what and cure`: one line, which editors and terminals turn into a link. */
export function renderFinding(finding: Finding): string {
  return `${finding.path}:${finding.line} [${finding.rule}] ${finding.message}`
}
