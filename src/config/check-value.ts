import { toWeirError, WeirError } from '../core/error.ts'
import { findNearestKey } from '../core/nearest-key.ts'
import type { JsonSchema } from '../core/schema.ts'
import {
  describeFault,
  type Fault,
  flattenIssue,
  type Issue,
  issuesOf,
  suggest,
  wrongTypePaths,
} from './describe-issue.ts'
import type { ConfigDocument } from './document.ts'
import { type Path, pathKey, valueAt } from './path.ts'
import type { Problems } from './problems.ts'
import { findUnknownKeys, knownKeysAt } from './schema-walk.ts'

/** One part of the document, and what it must look like. */
interface Check<T> {
  readonly parse: (value: unknown) => T
  readonly schema: JsonSchema
  readonly value: unknown
  /** Where the part stands in the document. */
  readonly base: Path
}

/**
 * Checks a part whole and notes everything wrong with it; undefined if there was anything. A value that
 * is exactly one `${…}` and is refused as a string is read again as YAML reads a plain number or boolean.
 */
export function checkValue<T>(check: Check<T>, document: ConfigDocument, problems: Problems): T | undefined {
  const unknownKeys = findUnknownKeys(check.value, check.schema)
  for (const path of unknownKeys) addUnknownKey(path, check, document, problems)
  let attempt = tryParse(check.parse, check.value)
  let value = check.value
  if ('issues' in attempt) {
    value = rereadScalars(check, attempt.issues, document)
    if (value !== check.value) attempt = tryParse(check.parse, value)
  }
  if (!('issues' in attempt)) return unknownKeys.length === 0 ? attempt.value : undefined
  const known = new Set(unknownKeys.map(pathKey))
  for (const fault of attempt.issues.flatMap((issue) => flattenIssue(issue))) {
    if (fault.kind !== 'unknown-key') addFault(fault, { ...check, value }, document, problems)
    else if (!known.has(pathKey(fault.path))) addUnknownKey(fault.path, check, document, problems)
  }
  return undefined
}

type Attempt<T> = { readonly value: T } | { readonly issues: readonly Issue[] }

function tryParse<T>(parse: (value: unknown) => T, value: unknown): Attempt<T> {
  try {
    return { value: parse(value) }
  } catch (thrown) {
    const issues = issuesOf(thrown)
    if (issues !== undefined) return { issues }
    // A connector that checks by hand speaks in WeirErrors; anything else is a fault of its own.
    if (!(thrown instanceof WeirError)) throw toWeirError(thrown)
    return { issues: [{ code: 'custom', path: [], message: thrown.message }] }
  }
}

function addFault(fault: Fault, check: Check<unknown>, document: ConfigDocument, problems: Problems): void {
  const path = [...check.base, ...fault.path]
  if (document.isBroken(path)) return
  const [message, hint] = describeFault(fault, check.value, check.base, document)
  problems.add(path, document.locate(path, fault.kind === 'key' ? 'key' : 'value'), message!, hint)
}

function addUnknownKey(
  path: Path,
  check: Check<unknown>,
  document: ConfigDocument,
  problems: Problems,
): void {
  const key = String(path.at(-1))
  const known = knownKeysAt(check.schema, path.slice(0, -1))
  const whole = [...check.base, ...path]
  problems.add(whole, document.locate(whole, 'key'), ...describeUnknownKey(key, known))
}

/** The words for a key that is not there, with the nearest that is. */
export function describeUnknownKey(key: string, known: readonly string[]): [string, string?] {
  const hint = suggest(findNearestKey(key, known))
  const message = `unknown key ${JSON.stringify(key)}`
  return hint === undefined ? [message] : [message, hint]
}

/** A copy with refused scalars read again; the same object where there are none. */
function rereadScalars(check: Check<unknown>, issues: readonly Issue[], document: ConfigDocument): unknown {
  let copy = check.value
  for (const path of issues.flatMap((issue) => wrongTypePaths(issue))) {
    const origin = document.origin([...check.base, ...path])
    const scalar = origin?.isSole ? readScalar(origin.text) : undefined
    if (scalar === undefined || path.length === 0) continue
    if (copy === check.value) copy = structuredClone(check.value)
    const parent = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>
    parent[path.at(-1)!] = scalar
  }
  return copy
}

const decimal = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/

/** A number or boolean by YAML 1.2's core schema; undefined for all else. */
function readScalar(text: string): number | boolean | undefined {
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  return decimal.test(text) || /^0(?:o[0-7]+|x[\da-fA-F]+)$/.test(text) ? Number(text) : undefined
}
