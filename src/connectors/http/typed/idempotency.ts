import { randomUUID } from 'node:crypto'
import type { JsonSchema } from '../../../core/schema.ts'
import type { Arguments } from './typed-tool.ts'

const argument = 'idempotency_key'

/** The argument by which callers mark a repeat, where the API has a header for it. */
export function renderKeyArgument(header: string | undefined): Readonly<Record<string, JsonSchema>> {
  if (header === undefined) return {}
  const description = `The API does a request once for each key. Give the same one when you try again; without it each call has its own.`
  return { [argument]: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[!-~]+$', description } }
}

/** The header for one call. */
export function renderKeyHeader(
  header: string | undefined,
  input: Arguments,
): Readonly<Record<string, string>> {
  if (header === undefined) return {}
  return { [header]: String(input[argument] ?? randomUUID()) }
}
