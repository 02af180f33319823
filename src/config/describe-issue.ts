import { findNearestKey } from '../core/nearest-key.ts'
import type { ConfigDocument } from './document.ts'
import { isRecord, type Path, valueAt } from './path.ts'
import { isSensitivePath } from './sensitive-key.ts'

/** An issue as Zod reports it, whichever copy of Zod that was. */
export interface Issue {
  readonly code?: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly expected?: string
  readonly values?: readonly unknown[]
  readonly keys?: readonly string[]
  readonly errors?: readonly (readonly Issue[])[]
  readonly issues?: readonly Issue[]
}

/** The issues in what a schema threw, or undefined where it is no schema's error. */
export function issuesOf(thrown: unknown): readonly Issue[] | undefined {
  return isRecord(thrown) && Array.isArray(thrown['issues']) ? (thrown['issues'] as Issue[]) : undefined
}

/** One fault at one place: issues of unions and maps taken apart. */
export interface Fault {
  readonly kind: 'value' | 'key' | 'unknown-key'
  readonly issue: Issue
  readonly path: Path
}

/** Takes an issue apart. Of a union's alternatives, the one that the value comes nearest to speaks. */
export function flattenIssue(issue: Issue, around: Path = []): Fault[] {
  const path = [...around, ...issue.path.map(toSegment)]
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({ kind: 'unknown-key', issue, path: [...path, key] }))
  }
  if (issue.code === 'invalid_key') return [{ kind: 'key', issue: issue.issues?.[0] ?? issue, path }]
  const nested = issue.code === 'invalid_union' ? nearestBranch(issue) : undefined
  if (nested !== undefined) return nested.flatMap((inner) => flattenIssue(inner, path))
  return [{ kind: 'value', issue, path }]
}

function toSegment(key: PropertyKey): string | number {
  return typeof key === 'symbol' ? String(key) : key
}

/** The alternative that took the value's type and found least wrong inside; undefined where none took the type. */
function nearestBranch(union: Issue): readonly Issue[] | undefined {
  const inside = (union.errors ?? []).filter((issues) => !issues.some(isWrongType))
  return [...inside].sort((a, b) => a.length - b.length)[0]
}

function isWrongType(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
}

/** Where a value of another type was wanted, in every alternative of a union. */
export function wrongTypePaths(issue: Issue, around: Path = []): Path[] {
  const path = [...around, ...issue.path.map(toSegment)]
  const isType = issue.code === 'invalid_type' || issue.code === 'invalid_value'
  const inner = (issue.errors ?? []).flat().flatMap((nested) => wrongTypePaths(nested, path))
  return isType ? [path, ...inner] : inner
}

/** A fault in words: what was expected, and the value seen where showing it is safe. */
export function describeFault(fault: Fault, value: unknown, base: Path, document: ConfigDocument): string[] {
  const { issue, path } = fault
  const seen = valueAt(value, path)
  const expected = expectation(issue)
  if (fault.kind === 'key') return [lowerFirst(issue.message)]
  if (seen === undefined && issue.code !== 'custom') return [`is required${expected && ` (${expected})`}`]
  const shown = showValue(seen, [...base, ...path], document)
  if (expected === '') return [`${lowerFirst(issue.message)}${shown && ` (got ${shown})`}`]
  const message = `expected ${expected}, got ${shown || typeName(seen)}`
  const hint = valueHint(issue, expected, seen)
  return hint === undefined ? [message] : [message, hint]
}

/** What would have been right, where the issue says it as data; else ''. */
function expectation(issue: Issue): string {
  if (issue.code === 'invalid_type') return typeWord(issue.expected ?? '')
  if (issue.code === 'invalid_value') return listValues(issue.values ?? [])
  if (issue.code !== 'invalid_union') return ''
  const words = (issue.errors ?? []).flat().filter(isWrongType).map(expectation)
  return [...new Set(words)].join(' or ')
}

function listValues(values: readonly unknown[]): string {
  const words = values.map((value) => JSON.stringify(value))
  return words.length === 1 ? words[0]! : `one of ${words.join(', ')}`
}

function valueHint(issue: Issue, expected: string, seen: unknown): string | undefined {
  if (expected === 'string' && (typeof seen === 'number' || typeof seen === 'boolean')) {
    return 'put it in quotes'
  }
  if (typeof seen !== 'string') return undefined
  const words = (issue.values ?? []).filter((value) => typeof value === 'string')
  return suggest(findNearestKey(seen, words))
}

/** The hint for a word that is near a known one. */
export function suggest(nearest: string | undefined): string | undefined {
  return nearest === undefined ? undefined : `did you mean ${JSON.stringify(nearest)}?`
}

// Long strings help nobody, and are keys and certificates more often than not.
const shownCharsMax = 40

/** A scalar as the file has it; '' where it came from elsewhere, may be a secret, or is long. */
export function showValue(value: unknown, path: Path, document: ConfigDocument): string {
  if (document.origin(path) !== undefined) return ''
  if (value !== null && typeof value === 'object') return ''
  if (value === undefined || isSensitivePath(path)) return ''
  const text = JSON.stringify(value)
  return text.length > shownCharsMax || text.includes('@') ? '' : text
}

/** A value's kind, for messages that do not show it. */
export function typeName(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`
}

function typeWord(expected: string): string {
  const words: Record<string, string> = {
    object: 'mapping',
    record: 'mapping',
    array: 'list',
    int: 'whole number',
  }
  return words[expected] ?? expected
}

function lowerFirst(message: string): string {
  const text = message.replace(/^Invalid input: /, '')
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
