import type { Finding } from './finding.ts'
import type { Tree } from './tree.ts'

/** A fault put into a clean tree, and what the check must then say. */
export interface Fault {
  readonly rule: string
  /** What is wrong, for the test's title. */
  readonly what: string
  /** Files laid over the clean tree; the finding must name the first. */
  readonly files: Readonly<Record<string, string>>
  /** Where the finding must point; 1 if not given. */
  readonly line?: number
}

/** The clean tree with the files laid over it. */
export function plant(clean: Tree, files: Readonly<Record<string, string>>): Tree {
  return new Map([...clean, ...Object.entries(files)])
}

/** What a finding is compared by: the wording may change, the place and the rule may not. */
export function places(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ rule, path, line }) => `${rule} ${path}:${line}`)
}

/** The one finding a planted fault must cause. */
export function placeOf({ rule, files, line }: Fault): string {
  return `${rule} ${Object.keys(files)[0]}:${line ?? 1}`
}
